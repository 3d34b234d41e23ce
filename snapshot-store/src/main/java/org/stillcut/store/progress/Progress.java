package org.stillcut.store.progress;

/** Is told how far a long operation is. Called from several threads, often: it should return at once. */
public interface Progress {

    /** Tells nobody. */
    Progress NONE = new Progress() {
        @Override
        public void begin(String step, long totalBytes) {}

        @Override
        public void advance(long bytes) {}
    };

    /** Another step begins; its length is 0 when it is not known. */
    void begin(String step, long totalBytes);

    /** So many bytes more of this step are done. */
    void advance(long bytes);
}
