import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Runs JUnit tests by class name on a host without Maven; compiled by pack.sh. */
public final class RunTests {
    public static void main(String[] names) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        for (String name : names) {
            request.selectors(DiscoverySelectors.selectClass(name));
        }
        LauncherDiscoveryRequest built = request.build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(built, listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.getFailures().forEach(f -> System.err.println(f.getTestIdentifier().getDisplayName() + " of "
                + f.getTestIdentifier().getUniqueId() + ": " + f.getException()));
        System.out.printf(
                "{\"tests\":%d,\"passed\":%d,\"failed\":%d,\"aborted\":%d,\"containers_aborted\":%d}%n",
                summary.getTestsFoundCount(),
                summary.getTestsSucceededCount(),
                summary.getTestsFailedCount(),
                summary.getTestsAbortedCount(),
                summary.getContainersAbortedCount());
        System.exit(summary.getTestsFailedCount() > 0 || summary.getTestsSucceededCount() == 0 ? 1 : 0);
    }
}
