package org.stillcut.protocol;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Unmodifiable sorted copies. Records of the protocol hold nothing else, so that they are values and that whoever
 * iterates over them does it in the same order every time.
 */
public final class Ordered {
    private Ordered() {}

    public static <T extends Comparable<? super T>> SortedSet<T> none() {
        return Collections.emptyNavigableSet();
    }

    public static <T extends Comparable<? super T>> SortedSet<T> set(Collection<T> elements) {
        return Collections.unmodifiableSortedSet(new TreeSet<>(elements));
    }

    public static <K extends Comparable<? super K>, V> SortedMap<K, V> map(Map<K, V> entries) {
        return Collections.unmodifiableSortedMap(new TreeMap<>(entries));
    }

    /** The elements that the predicate keeps. */
    public static <T extends Comparable<? super T>> SortedSet<T> filter(Collection<T> elements, Predicate<T> kept) {
        TreeSet<T> result = new TreeSet<>(elements);
        result.removeIf(kept.negate());
        return Collections.unmodifiableSortedSet(result);
    }

    public static <T extends Comparable<? super T>> SortedSet<T> plus(Collection<T> elements, Collection<T> added) {
        TreeSet<T> result = new TreeSet<>(elements);
        result.addAll(added);
        return Collections.unmodifiableSortedSet(result);
    }

    public static <T extends Comparable<? super T>> SortedSet<T> without(Collection<T> elements, T removed) {
        return filter(elements, element -> !element.equals(removed));
    }
}
