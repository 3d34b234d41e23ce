package org.stillcut.store.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.stillcut.store.CheckpointMark;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.StoreFiles;

/** The marks of checkpoints, each in a file beside the commit record. Thread-safe; whoever changes one has the catalog lock. */
public final class CheckpointMarks {

    static final String SUFFIX = ".mark";

    private static final Frame FRAME = new Frame("STILMARK", 1, 64 << 10);

    private final StoreFiles files;
    private final Path commits;
    private final Supplier<String> temporarySuffixes;

    CheckpointMarks(StoreFiles files, Path commits, Supplier<String> temporarySuffixes) {
        this.files = files;
        this.commits = commits;
        this.temporarySuffixes = temporarySuffixes;
    }

    /** The mark of a checkpoint, {@link CheckpointMark#NONE} when it has none. */
    public CheckpointMark read(CheckpointRef checkpoint) throws StoreException {
        Path path = path(checkpoint);
        try {
            byte[] payload = FRAME.unwrap(FRAME.readFile(files, path), path.toString());
            return Json.parse(payload, path.toString(), CheckpointMarks::mark);
        } catch (StoreMissingException e) {
            return CheckpointMark.NONE;
        }
    }

    private static CheckpointMark mark(JsonNode node) {
        SortedSet<String> tags = new TreeSet<>();
        for (JsonNode tag : node.path("tags")) {
            tags.add(tag.textValue());
        }
        return new CheckpointMark(Json.number(node, "protected") != 0, tags);
    }

    void write(CheckpointRef checkpoint, CheckpointMark mark) throws StoreException {
        ObjectNode node = Json.object();
        node.put("protected", mark.isProtected() ? 1 : 0);
        ArrayNode tags = node.putArray("tags");
        mark.tags().forEach(tags::add);
        Path path = path(checkpoint);
        new AtomicFile(
                        files,
                        commits.resolve(checkpoint.job()),
                        path.getFileName().toString(),
                        temporarySuffixes.get())
                .write(FRAME.wrap(Json.bytes(node)));
    }

    void delete(CheckpointRef checkpoint) throws StoreException {
        files.delete(path(checkpoint));
    }

    private Path path(CheckpointRef checkpoint) {
        return commits.resolve(checkpoint.job())
                .resolve(CheckpointCatalog.sequenceName(checkpoint.sequence()) + SUFFIX);
    }
}
