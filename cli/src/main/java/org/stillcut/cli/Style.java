package org.stillcut.cli;

import java.util.Map;

/**
 * How text looks where it is printed: as wide as the screen and in colours on a terminal, without limit and plain elsewhere.
 * Immutable.
 *
 * @param columns that a line may take
 */
record Style(int columns, boolean coloured) {
    static final Style PLAIN = new Style(Integer.MAX_VALUE, false);

    private static final String RESET = "\u001b[0m";

    /** What a colour says. */
    enum Mood {
        GOOD("\u001b[32m"),
        DOUBTFUL("\u001b[33m"),
        BAD("\u001b[31m"),
        PLAIN("");

        private final String code;

        Mood(String code) {
            this.code = code;
        }
    }

    /** A word with a colour. */
    record Word(String text, Mood mood) {
        @Override
        public String toString() {
            return text;
        }
    }

    /** Of this process's standard output. */
    static Style ofThisProcess() {
        return of(Terminal.isOne(System.out), System.getenv());
    }

    static Style of(boolean terminal, Map<String, String> environment) {
        return terminal ? new Style(Terminal.columns(environment), Terminal.isColoured(true, environment)) : PLAIN;
    }

    /** A state of a job, node or finding. */
    static Word state(String word) {
        Mood mood = switch (word) {
            case "running", "up", "ok" -> Mood.GOOD;
            case "starting", "checkpointing", "restarting", "ending", "silent", "warn" -> Mood.DOUBTFUL;
            case "lost", "fail" -> Mood.BAD;
            default -> Mood.PLAIN;
        };
        return new Word(word, mood);
    }

    /** Text that begins in this column, broken between words where the screen ends; what follows begins there too. */
    String wrapped(String text, int indent) {
        StringBuilder wrapped = new StringBuilder();
        int column = indent;
        for (String word : text.split(" ", -1)) {
            if (column > indent && column + 1 + word.length() > columns) {
                wrapped.append('\n').repeat(' ', indent);
                column = indent;
            } else if (column > indent) {
                wrapped.append(' ');
                column++;
            }
            wrapped.append(word);
            column += word.length();
        }
        return wrapped.toString();
    }

    /** The text of a cell in the colour of the cell. */
    String show(Object cell, String text) {
        return coloured && cell instanceof Word word && word.mood() != Mood.PLAIN
                ? word.mood().code + text + RESET
                : text;
    }
}
