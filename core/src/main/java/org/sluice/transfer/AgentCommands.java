package org.sluice.transfer;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.SluiceException;

/** What others asked an agent to run, in order. Any thread adds; the agent runs. */
final class AgentCommands {
    private static final Logger log = LoggerFactory.getLogger(AgentCommands.class);

    /** More than a program's threads ask for in a turn. */
    private static final int MOST_PER_TURN = 1024;

    private final String agent;
    private final ConcurrentLinkedQueue<Command> queue = new ConcurrentLinkedQueue<>();

    /** Something to run, and who hears that it will not be. */
    record Command(Runnable run, Consumer<SluiceException> otherwise) {}

    AgentCommands(String agent) {
        this.agent = agent;
    }

    Command add(Runnable run, Consumer<SluiceException> otherwise) {
        Command c = new Command(run, otherwise);
        queue.add(c);
        return c;
    }

    /** @return whether it was still there, and will not run now */
    boolean takeBack(Command command) {
        return queue.remove(command);
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    /**
     * Runs what is there, up to a bound, so that who asks again and again does not keep the agent from its links. One command's error
     * must not end the GPU's thread, and with it every link.
     *
     * @return how many ran
     */
    int runSome() {
        int count = 0;
        for (Command c = queue.poll(); c != null; c = ++count < MOST_PER_TURN ? queue.poll() : null) {
            guarded(c.run);
        }
        return count;
    }

    void rejectAll(SluiceException why) {
        for (Command c = queue.poll(); c != null; c = queue.poll()) {
            Command rejected = c;
            guarded(() -> rejected.otherwise.accept(why));
        }
    }

    private void guarded(Runnable run) {
        try {
            run.run();
        } catch (Throwable e) {
            log.error("{}: internal error: {}", agent, e.toString(), e);
        }
    }
}
