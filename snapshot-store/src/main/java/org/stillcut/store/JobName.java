package org.stillcut.store;

import java.util.regex.Pattern;

/** The rule for names of jobs, which become names of directories in the repository. */
public final class JobName {

    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}");

    private JobName() {}

    /** Whether the name has 1 to 64 characters of {@code [A-Za-z0-9._-]} and does not start with a dot. */
    public static boolean isValid(String name) {
        return VALID.matcher(name).matches();
    }

    /** Returns a valid name, refuses any other with {@link IllegalArgumentException}. */
    public static String require(String name) {
        if (!isValid(name)) {
            throw new IllegalArgumentException("not a job name: '" + name + "'");
        }
        return name;
    }
}
