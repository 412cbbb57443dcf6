#ifndef HOTGLUE_CSQLITE_JUDGE_H
#define HOTGLUE_CSQLITE_JUDGE_H

/// Has SQLite open its files through a function that judges them.
void csqlite_judge_opens(void);

#endif
