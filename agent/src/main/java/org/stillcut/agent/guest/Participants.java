package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs in one VM that take part in checkpoints of their job, as docs/taking-part.md tells them to; without any,
 * each call succeeds at once. Belongs to a {@link GuestChannel} and is as thread-safe; all requests may be repeated.
 */
public final class Participants {
    private static final Logger log = LoggerFactory.getLogger(Participants.class);
    private static final Duration REQUEST_TIME = Duration.ofSeconds(10);

    /** What an answer may take longer than the guest's own deadline for it. */
    private static final Duration ANSWER_SLACK = Duration.ofSeconds(2);

    private final Requests requests;

    /** Set before the hello, called by the channel's reading thread. */
    private volatile LongConsumer checkpointWanted =
            wish -> log.debug("wish {} for a checkpoint, nobody listens", wish);

    /** Asks the guest, and waits until it has done as asked. */
    interface Requests {
        void ask(int type, byte[] payload, Duration timeout) throws GuestException;
    }

    Participants(Requests requests) {
        this.requests = requests;
    }

    /**
     * Says who hears that programs in this VM wish for a checkpoint of the job; to be set before {@link
     * GuestChannel#hello}. Called by the channel's reading thread, so it must not ask the guest, with the number of the
     * wish in this life of the VM. A wish that has not got its {@link #checkpointResult} comes again after each hello.
     */
    public void onCheckpointWanted(LongConsumer listener) {
        checkpointWanted = listener;
    }

    /**
     * Waits until no program in this VM forbids a checkpoint, and has the hooks of those that have some called. The job runs
     * on meanwhile. When it fails, because of a ban or a hook that goes on for too long, or a hook that refuses, the hooks
     * that were called have been told that the job goes on; the message names who it was.
     *
     * @param deadline for all of it, at most a minute
     * @param hold how long the guest waits for {@link #hooksAfterResume} or {@link #hooksAfterRestart}, at most ten minutes,
     *     not counted while the job is held or stands still; then it goes on as if the first had come
     */
    public void hooksBefore(Duration deadline, Duration hold) throws GuestException {
        byte[] payload = ParticipantMessages.hooksBefore(deadline, hold);
        requests.ask(ParticipantMessages.HOOKS_BEFORE, payload, deadline.plus(ANSWER_SLACK));
    }

    /** Tells the programs whose hooks were called that the job has gone on in the same VMs, with a checkpoint or without. */
    public void hooksAfterResume() throws GuestException {
        byte[] payload = ParticipantMessages.hooksAfter(ParticipantMessages.RESUMED, "");
        requests.ask(ParticipantMessages.HOOKS_AFTER, payload, REQUEST_TIME);
    }

    /**
     * Tells them that the job has been restarted from that checkpoint; wishes found in the image are fulfilled with it. To be
     * sent while the guest still knows that it was restored, before the job runs.
     */
    public void hooksAfterRestart(String checkpoint) throws GuestException {
        byte[] payload = ParticipantMessages.hooksAfter(ParticipantMessages.RESTARTED, checkpoint);
        requests.ask(ParticipantMessages.HOOKS_AFTER, payload, REQUEST_TIME);
    }

    /**
     * Tells those who wished for it how the checkpoint has ended.
     *
     * @param text the checkpoint's name, or the reason why there is none; one line of at most 256 bytes, the rest is cut off
     */
    public void checkpointResult(long wish, CheckpointOutcome outcome, String text) throws GuestException {
        byte[] payload = ParticipantMessages.checkpointResult(wish, outcome, text);
        requests.ask(ParticipantMessages.CHECKPOINT_RESULT, payload, REQUEST_TIME);
    }

    /** Takes the payload of a CHECKPOINT_WANTED; gives the wish. */
    long wanted(ByteBuffer payload) {
        long wish = ParticipantMessages.wish(payload);
        checkpointWanted.accept(wish);
        return wish;
    }
}
