/// What puts `hotglue context prompt` in front of a shell's own prompt: `(acme) `. A context that
/// cannot be used is shown as `(!) `, so that a broken one is not taken for none. The status of the
/// last command stays what it was, and read twice the lines do nothing more.
enum PromptSnippet {
  static func text(for shell: ShellKind) -> String {
    switch shell {
    case .bash: posix + bashTail
    case .zsh: posix + zshTail
    case .fish: fish
    }
  }

  private static let posix = """
    __hotglue_prompt() {
      local last=$? text
      text=$(command hotglue context prompt 2>/dev/null) || text='!'
      [[ -z $text ]] || printf '(%s) ' "$text"
      return "$last"
    }

    """

  private static let bashTail = """
    case ${PS1-} in
      *__hotglue_prompt*) ;;
      *) PS1='$(__hotglue_prompt)'${PS1-} ;;
    esac
    """

  private static let zshTail = """
    setopt prompt_subst
    case ${PROMPT-} in
      *__hotglue_prompt*) ;;
      *) PROMPT='$(__hotglue_prompt)'${PROMPT-} ;;
    esac
    """

  private static let fish = """
    if not functions -q __hotglue_fish_prompt
        if not functions -q fish_prompt
            function fish_prompt
                echo -n '> '
            end
        end
        functions -c fish_prompt __hotglue_fish_prompt
        function fish_prompt
            set -l last $status
            set -l text (command hotglue context prompt 2>/dev/null; or echo '!')
            test -n "$text"; and printf '(%s) ' $text
            # The prompt that was there before sees the status of the last command.
            sh -c "exit $last"
            __hotglue_fish_prompt
        end
    end
    """
}
