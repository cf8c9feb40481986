package org.sluice.transfer;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.SluiceException;

/** What others asked an agent to run, in order. Any thread adds; the agent runs. */
final class AgentCommands {
    private static final Logger log = LoggerFactory.getLogger(AgentCommands.class);

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

    /** One command's error must not end the GPU's thread, and with it every link. @return how many ran */
    int runAll() {
        int count = 0;
        for (Command c = queue.poll(); c != null; c = queue.poll()) {
            guarded(c.run);
            count++;
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
