package org.stillcut.agent.disk;

import java.util.ArrayList;
import java.util.List;

/** What several layers on top of each other determine together: of each byte, the newest layer that has it. Pure. */
final class ExtentUnion {

    private ExtentUnion() {}

    /**
     * Puts newer extents on top of older ones in one pass over both.
     *
     * @param newer sorted by guest offset, not overlapping
     * @param older likewise
     * @return likewise; the older extents remain where no newer one covers them
     */
    static List<LayerExtent> cover(List<LayerExtent> newer, List<LayerExtent> older) {
        List<LayerExtent> union = new ArrayList<>(newer.size() + older.size());
        int next = 0;
        for (LayerExtent old : older) {
            while (next < newer.size() && newer.get(next).end() <= old.start()) {
                union.add(newer.get(next++));
            }
            long position = old.start();
            while (position < old.end()) {
                if (next == newer.size() || newer.get(next).start() >= old.end()) {
                    union.add(old.slice(position, old.end()));
                    break;
                }
                LayerExtent top = newer.get(next);
                if (top.start() > position) {
                    union.add(old.slice(position, top.start()));
                }
                position = top.end();
                if (position <= old.end()) {
                    union.add(top);
                    next++;
                }
            }
        }
        union.addAll(newer.subList(next, newer.size()));
        return union;
    }
}
