/** The bytes that give a terminal back as it was: every mode that the screen may have set, unset; the alternate screen left. */
export const RESTORE =
  '\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l';
