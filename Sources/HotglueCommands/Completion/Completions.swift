import ArgumentParser
import HotglueCore

struct Completions: HotglueCommand {
  static let record = CommandRecord("completions", .none, requires: .none)
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "print the completions for a shell",
    discussion: """
      For bash: eval "$(hotglue completions bash)" in ~/.bashrc. For zsh: the same behind compinit in \
      ~/.zshrc, or a file _hotglue in a folder of $fpath. For fish: a file hotglue.fish in \
      ~/.config/fish/completions. 'Scripts/install' puts all three in their places.

      Commands, flags, external commands, and the IDs of workspaces and jobs, types and queues are \
      completed; those of the context in effect, or of the flags that are typed already.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The shell.", valueName: "bash|zsh|fish"))
  var shell: ShellKind

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    Output(environment, global).rawLine(CompletionScript.text(for: shell))
    return .done
  }
}

/// What binds `hotglue __complete` to a shell's own completion.
enum CompletionScript {
  static func text(for shell: ShellKind) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  // bash cuts words at '=' and ':' too: they are put together again, and of a candidate only what
  // follows the last of these is handed back.
  private static let bash = #"""
    # bash completion for hotglue
    _hotglue() {
      local words=() word last='' lead='' value line i
      for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]} > 0)) && [[ $word == [=:]* || $last == [=:] ]]; then
          words[-1]+=$word
        else
          words+=("$word")
        fi
        last=$word
      done
      word=${words[-1]-}
      if [[ $word == *[=:]* ]]; then lead=${word%"${word##*[=:]}"}; fi
      COMPREPLY=()
      while IFS= read -r line; do
        value=${line%%$'\t'*}
        case $value in
          :files | :folders | :programs)
            local kind=-f
            case $value in
              :folders) kind=-d ;;
              :programs) kind=-c ;;
            esac
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen "$kind" -- "${word#"$lead"}")
            ;;
          *)
            printf -v value '%q' "$value"
            COMPREPLY+=("${value#"$lead"}")
            ;;
        esac
      done < <("$1" __complete -- "${words[@]}" 2>/dev/null)
    }
    complete -F _hotglue hotglue
    """#

  private static let zsh = #"""
    #compdef hotglue
    _hotglue() {
      local -a lines values shown
      local line value
      lines=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
      for line in "${lines[@]}"; do
        value=${line%%$'\t'*}
        case $value in
          '') ;;
          :files) compset -P '*='; _files; return ;;
          :folders) compset -P '*='; _files -/; return ;;
          :programs) _command_names -e; return ;;
          *)
            values+=("$value")
            shown+=("$value${${line#*$'\t'}:+  -- ${line#*$'\t'}}")
            ;;
        esac
      done
      compadd -l -d shown -a values
    }
    if [[ ${funcstack[1]-} == _hotglue ]]; then
      _hotglue "$@"
    else
      compdef _hotglue hotglue
    fi
    """#

  private static let fish = #"""
    # fish completion for hotglue
    function __hotglue_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct)
        set -e words[1]
        for line in (command hotglue __complete -- $words "$current" 2>/dev/null)
            switch $line
                case ':files' ':folders'
                    set -l lead (string match -r '^--[^=]*=' -- "$current")
                    set -l paths (__fish_complete_path (string replace -- "$lead" '' "$current"))
                    test $line = ':folders'; and set paths (string match -r '.*/$' -- $paths)
                    test -n "$paths[1]"; and printf "$lead%s\n" $paths
                case ':programs'
                    __fish_complete_command
                case '*'
                    echo $line
            end
        end
    end
    complete -c hotglue -f -a '(__hotglue_complete)'
    """#
}
