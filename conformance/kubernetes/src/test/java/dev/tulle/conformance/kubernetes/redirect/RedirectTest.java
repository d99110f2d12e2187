package dev.tulle.conformance.kubernetes.redirect;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * What the rules of {@code tulle-proxy redirect} do to real connections, with nft and legacy, IPv4 and IPv6.
 *
 * <p>A namespace stands for the pod, with a stand-in for the proxy in a group of its own and an application; another is the world outside.
 */
@Tag("cluster")
@Timeout(180)
class RedirectTest {
    private static final String GID = "15015";
    private static final List<String> ASKED = List.of(
            "--proxy-gid=" + GID,
            "--skip-inbound-ports=9090",
            "--skip-outbound-ports=7000-7010",
            "--skip-outbound-cidrs=10.77.9.0/24,fd77:9::/64");

    private final List<Process> started = new ArrayList<>();
    private String pod = "";
    private String outside = "";

    @BeforeEach
    void makeNamespaces() throws Exception {
        pod = namespace();
        outside = namespace();
        run("ip link add pod netns %s type veth peer name world netns %s".formatted(pod, outside));
        within(pod, "ip addr add 10.77.0.2/24 dev pod; ip -6 addr add fd77::2/64 dev pod nodad; ip link set pod up");
        within(outside, "ip addr add 10.77.0.1/24 dev world; ip -6 addr add fd77::1/64 dev world nodad");
        within(
                outside,
                "ip addr add 10.77.9.1/24 dev world; ip -6 addr add fd77:9::1/64 dev world nodad; ip link set world up");
        within(pod, "ip route add default via 10.77.0.1; ip -6 route add default via fd77::1");
    }

    @AfterEach
    void endAll() {
        started.reversed().forEach(Process::destroyForcibly);
    }

    /** One call and where it must arrive. */
    private record Call(
            String what, boolean fromPod, boolean asProxy, String host, int port, String from, String arrives) {}

    private static List<Call> calls(String podAddress, String world, String skipped, String loopback) {
        return List.of(
                new Call("what the application sends", true, false, world, 8080, "", "outbound"),
                new Call("what the proxy sends", true, true, world, 8080, "", "outside"),
                new Call("a port that is left alone", true, false, world, 7005, "", "outside"),
                new Call("a network that is left alone", true, false, skipped, 8080, "", "outside"),
                new Call("DNS", true, false, world, 53, "", "outside"),
                new Call("the application by loopback", true, false, loopback, 8080, "", "application"),
                new Call("the application by its own address", true, false, podAddress, 8080, "", "application"),
                new Call("what the proxy passes on", true, true, podAddress, 8080, "", "application"),
                new Call("the proxy that calls its own pod", true, true, podAddress, 8080, loopback, "inbound"),
                new Call("the proxy's proof", true, true, loopback, 15804, "", "outbound"),
                new Call("what comes for the application", false, false, podAddress, 8080, "", "inbound"),
                new Call("what comes for any port", false, false, podAddress, 12345, "", "inbound"),
                new Call(
                        "what comes for a port that is left alone", false, false, podAddress, 9090, "", "application"));
    }

    @TestFactory
    Stream<DynamicTest> leadsEachConnectionWhereItBelongs() {
        return Stream.of("nft", "legacy")
                .map(flavour -> DynamicTest.dynamicTest(flavour, () -> {
                    makeNamespaces();
                    assertThat(redirect("--backend=" + flavour))
                            .contains("IPv4 is redirected by " + flavour, "IPv6 is redirected by " + flavour);
                    serve(pod, true, "outbound@15801", "inbound@15806");
                    serve(pod, false, "application@8080", "application@9090");
                    serve(outside, false, "outside@8080", "outside@7005", "outside@53");

                    List<Call> all = new ArrayList<>(calls("10.77.0.2", "10.77.0.1", "10.77.9.1", "127.0.0.1"));
                    all.addAll(calls("fd77::2", "fd77::1", "fd77:9::1", "::1"));
                    for (Call call : all) {
                        String heard = output(java(
                                call.fromPod() ? pod : outside,
                                call.asProxy(),
                                testClasses(),
                                Peer.class.getName(),
                                "dial %s %d %s"
                                        .formatted(call.host(), call.port(), call.from())
                                        .strip()
                                        .split(" ")));
                        assertThat(heard.strip())
                                .as("%s: %s port %d", call.what(), call.host(), call.port())
                                .isEqualTo(call.arrives());
                    }
                    endAll();
                }));
    }

    @Test
    void changesNothingTheSecondTime() throws Exception {
        for (String flavour : List.of("nft", "legacy")) {
            redirect("--backend=" + flavour);
            String before = saved(flavour);
            redirect("--backend=" + flavour);

            assertThat(saved(flavour)).isEqualTo(before).contains("-j TULLE_OUTBOUND", "-j TULLE_INBOUND");
            within(
                    pod,
                    "iptables-%1$s -t nat -F; ip6tables-%1$s -t nat -F; iptables-%1$s -t nat -X; ip6tables-%1$s -t nat -X"
                            .formatted(flavour));
        }
    }

    /** What an earlier run wrote with one kind of tools is not doubled by the other. */
    @Test
    void staysWithTheToolsOfAnEarlierRun() throws Exception {
        redirect("--backend=legacy");

        assertThat(redirect()).contains("IPv4 is redirected by legacy");
        assertThat(saved("nft")).doesNotContain("TULLE");
    }

    @Test
    void leavesTheRulesOfOthers() throws Exception {
        within(pod, "iptables-nft -t nat -A OUTPUT -p tcp --dport 1 -j RETURN; iptables-nft -t nat -N OTHER");

        redirect("--backend=nft");

        assertThat(saved("nft")).contains("--dport 1 -j RETURN", ":OTHER ");
    }

    @Test
    void namesTheCapabilitiesThatAreMissing() throws Exception {
        List<String> command = new ArrayList<>(List.of("setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"));
        command.addAll(
                javaCommand(proxyClasses(), "dev.tulle.proxy.redirect.RedirectMain", ASKED.toArray(String[]::new)));

        assertThat(output(start(pod, command))).contains("IPv4 cannot be redirected", "NET_ADMIN and NET_RAW");
        assertThat(saved("nft")).doesNotContain("TULLE");
    }

    private String redirect(String... more) throws Exception {
        List<String> args = new ArrayList<>(ASKED);
        args.addAll(List.of(more));
        return output(
                java(pod, false, proxyClasses(), "dev.tulle.proxy.redirect.RedirectMain", args.toArray(String[]::new)));
    }

    private String saved(String flavour) throws Exception {
        return within(
                pod,
                "iptables-%1$s-save -t nat | grep -v '^#'; ip6tables-%1$s-save -t nat | grep -v '^#'"
                        .formatted(flavour));
    }

    private void serve(String namespace, boolean asProxy, String... ports) throws Exception {
        List<String> args = new ArrayList<>(List.of("serve"));
        args.addAll(List.of(ports));
        Process server = java(namespace, asProxy, testClasses(), Peer.class.getName(), args.toArray(String[]::new));
        BufferedReader lines = server.inputReader(UTF_8);
        assertThat(lines.readLine()).isEqualTo("serving " + ports.length);
    }

    private Process java(String namespace, boolean asProxy, Path classes, String main, String... args)
            throws IOException {
        List<String> command = new ArrayList<>();
        if (asProxy) {
            command.addAll(List.of("setpriv", "--regid=" + GID, "--clear-groups"));
        }
        command.addAll(javaCommand(classes, main, args));
        return start(namespace, command);
    }

    private static List<String> javaCommand(Path classes, String main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                classes.toString(),
                main));
        command.addAll(List.of(args));
        return command;
    }

    /** The redirect step as Maven compiled it: it needs nothing but the JDK. */
    private static Path proxyClasses() {
        return Path.of(System.getProperty("tulle.proxy.classes", "../../proxy/sidecar/target/classes"))
                .toAbsolutePath();
    }

    private static Path testClasses() {
        return Path.of(
                Peer.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    }

    /** A process that holds a new network namespace; gives its pid, by which others enter. */
    private String namespace() throws Exception {
        Process holder = new ProcessBuilder("unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 300")
                .redirectErrorStream(true)
                .start();
        started.add(holder);
        BufferedReader lines = holder.inputReader(UTF_8);
        assertThat(lines.readLine()).isEqualTo("up");
        return Long.toString(holder.pid());
    }

    private Process start(String namespace, List<String> command) throws IOException {
        List<String> all = new ArrayList<>(List.of("nsenter", "-n", "-t", namespace));
        all.addAll(command);
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        started.add(process);
        return process;
    }

    private String within(String namespace, String script) throws Exception {
        return output(start(namespace, List.of("sh", "-c", script)));
    }

    private void run(String command) throws Exception {
        assertThat(output(new ProcessBuilder(List.of(command.split(" ")))
                        .redirectErrorStream(true)
                        .start()))
                .isEmpty();
    }

    private static String output(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output;
    }
}
