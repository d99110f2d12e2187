package dev.tulle.proxy.redirect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedirectMainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void printsTheRulesOfBothFamiliesAndChangesNothingOnADryRun() {
        assertThat(run("--proxy-gid=15015", "--dry-run")).isZero();

        assertThat(text(out))
                .contains("# IPv4: iptables-restore --noflush\n*nat\n", "# IPv6: ip6tables-restore --noflush\n*nat\n")
                .contains("-A TULLE_INBOUND -p tcp -j REDIRECT --to-ports 15806");
        assertThat(text(err)).isEmpty();
    }

    @Test
    void printsItsHelp() {
        assertThat(run("--help")).isZero();
        assertThat(text(out)).contains("--skip-outbound-cidrs", "Exit codes");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --dry-run                                       | --proxy-gid=GID is needed
            --proxy-gid=0                                   | --proxy-gid is 0, not a group other than root's
            --proxy-gid=proxy                               | --proxy-gid: not a whole number: 'proxy'
            --proxy-gid=1 --inbound-port=70000              | --inbound-port: not ports from 1 to 65535: 70000-70000
            --proxy-gid=1 --inbound-port=1-2                | --inbound-port is one port, not '1-2'
            --proxy-gid=1 --inbound-port=15801              | --inbound-port and --outbound-port are both 15801
            --proxy-gid=1 --skip-inbound-ports=80,9-8       | --skip-inbound-ports: not ports from 1 to 65535: 9-8
            --proxy-gid=1 --skip-inbound-ports=http         | not a port like 8080 or a range like 8000-8010: 'http'
            --proxy-gid=1 --skip-outbound-cidrs=example.com | not a range of addresses like 10.0.0.0/8 or fd00::/8: 'example.com'
            --proxy-gid=1 --skip-outbound-cidrs=10.0.0.0/33 | not a range of addresses like 10.0.0.0/8 or fd00::/8: '10.0.0.0/33'
            --proxy-gid=1 --skip-outbound-cidrs=300.0.0.0/8 | not a range of addresses
            --proxy-gid=1 --skip-outbound-cidrs=fd00::g/8   | not a range of addresses
            --proxy-gid=1 --backend=bpf                     | --backend is 'bpf', not nft or legacy
            --proxy-gid=1 --uid=3                           | '--uid' is not a flag of redirect
            --proxy-gid                                     | --proxy-gid needs a value
            --proxy-gid=1 --proxy-gid=2                     | --proxy-gid is given twice
            """)
    void namesTheFlagAndTheCure(String args, String problem) {
        assertThat(run(args.split(" "))).isEqualTo(2);
        assertThat(text(err)).contains(problem);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)    | NET_ADMIN and NET_RAW
            iptables-restore v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist                 | ip_tables, iptable_nat
            iptables-nft-restore: line 8: RULE_APPEND failed (No such file or directory): rule in chain TULLE_OUTBOUND    | xt_REDIRECT and xt_owner
            iptables-nft-restore is not installed                                                                         | use the image tulle-proxy
            Fatal: can't open lock file /run/xtables.lock: Read-only file system                                          | mount an emptyDir at /run
            """)
    void namesACureForWhatTheToolsSay(String words, String cure) {
        assertThat(RedirectStep.cure(words)).contains(cure);
    }

    @Test
    void seesWhichFamiliesLeadOutOfTheNamespace() throws Exception {
        InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        InetAddress pod = InetAddress.getByName("10.244.0.7");
        InetAddress link = InetAddress.getByName("fe80::1");
        InetAddress pod6 = InetAddress.getByName("fd00::7");

        assertThat(Reach.of(List.of(loopback, pod, link))).isEqualTo(new Reach(true, false));
        assertThat(Reach.of(List.of(loopback, pod6))).isEqualTo(new Reach(false, true));
        assertThat(Reach.of(List.of(loopback, pod, pod6))).isEqualTo(new Reach(true, true));
    }

    private int run(String... args) {
        return RedirectMain.run(
                List.of(args),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
