package org.stillcut.store;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What people noted about a checkpoint after it was committed. Immutable.
 *
 * @param isProtected the checkpoint is not forgotten until this is taken back
 * @param tags words to find it by, at most {@value #TAG_LIMIT}
 */
public record CheckpointMark(boolean isProtected, SortedSet<String> tags) {

    /** The mark of a checkpoint that nobody noted anything about. */
    public static final CheckpointMark NONE = new CheckpointMark(false, new TreeSet<>());

    private static final int TAG_LIMIT = 64;
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}");

    /** Checks the tags and copies them. */
    public CheckpointMark {
        if (tags.size() > TAG_LIMIT) {
            throw new IllegalArgumentException(tags.size() + " tags, at most " + TAG_LIMIT + " are allowed");
        }
        for (String tag : tags) {
            if (!TAG.matcher(tag).matches()) {
                throw new IllegalArgumentException("not a tag: '" + tag + "'");
            }
        }
        tags = Collections.unmodifiableSortedSet(new TreeSet<>(tags));
    }

    /** The same, protected or not. */
    public CheckpointMark withProtection(boolean wanted) {
        return new CheckpointMark(wanted, tags);
    }

    /** The same with other tags. */
    public CheckpointMark withTags(SortedSet<String> others) {
        return new CheckpointMark(isProtected, others);
    }
}
