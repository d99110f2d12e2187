package dev.tulle.proxy.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The names of the contract and their text forms. */
class NamesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "spiffe://cluster.local/ns/shop/sa/reviews",
                "spiffe://a/ns/b/sa/c",
                "spiffe://my-mesh.example/ns/shop/sa/web.front"
            })
    void readsBackAnIdentity(String uri) {
        assertThat(SpiffeId.parse(uri))
                .hasValueSatisfying(id -> assertThat(id.uri()).isEqualTo(uri));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "spiffe://cluster.local",
                "spiffe://cluster.local/",
                "spiffe://cluster.local/ns/shop",
                "spiffe://cluster.local/ns/shop/sa/",
                "spiffe://cluster.local/ns//sa/reviews",
                "spiffe:///ns/shop/sa/reviews",
                "spiffe://cluster.local/ns/shop/sa/reviews/",
                "spiffe://cluster.local/ns/shop/sa/reviews/x",
                "spiffe://cluster.local/ns/shop/sa/Reviews",
                "spiffe://Cluster.local/ns/shop/sa/reviews",
                "SPIFFE://cluster.local/ns/shop/sa/reviews",
                "https://cluster.local/ns/shop/sa/reviews",
                "spiffe://cluster.local:443/ns/shop/sa/reviews",
                "spiffe://user@cluster.local/ns/shop/sa/reviews",
                "spiffe://cluster.local/ns/shop/sa/reviews?a",
                "spiffe://cluster.local/ns/shop/sa/reviews#a",
                "spiffe://cluster.local/ns/../sa/reviews",
                "spiffe://cluster.local/ns/./sa/reviews",
                "spiffe://cluster.local/ns/shop/sa/rev%69ews",
                "spiffe://cluster.local/ns/shop/sa/reviews\n",
                "spiffe://cluster.local/ns/shop/sa/reviews\0",
                "spiffe://cluster.local/sa/reviews/ns/shop",
                "spiffe://cluster.local/ns/shop/sa/r\u00e9views"
            })
    void knowsNoIdentityThatIsNotExactlyOfOurForm(String uri) {
        assertThat(SpiffeId.parse(uri)).isEmpty();
    }

    @Test
    void knowsNoIdentityBeyondItsLength() {
        assertThat(SpiffeId.parse("spiffe://cluster.local/ns/shop/sa/" + "a".repeat(2_048)))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.1:80, 10.0.0.1, 80",
        "[::1]:0, ::1, 0",
        "[fd00::1]:65535, fd00::1, 65535",
        "host.example:9080, host.example, 9080",
    })
    void readsBackAnAddress(String text, String host, int port) {
        HostPort address = HostPort.parse(text);
        assertThat(address).isEqualTo(new HostPort(host, port)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                ":80",
                "host",
                "host:",
                "host:x",
                "host:65536",
                "host:-1",
                "::1:80",
                "[]:80",
                "[:80",
                "[::1]"
            })
    void refusesWhatIsNoAddressAndQuotesIt(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> HostPort.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"svc:shop/ratings:9080", "addr:10.0.0.1:80", "addr:[::1]:80"})
    void readsBackADestination(String text) {
        assertThat(DestinationKey.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "svc:",
                "svc:ratings:80",
                "svc:/ratings:80",
                "svc:shop/:80",
                "svc:shop/a/b:80",
                "svc:shop/ratings",
                "svc:shop/ratings:0",
                "svc:shop/ratings:x",
                "svc:shop/ratings:65536",
                "svc:a:1/b",
                "SVC:shop/ratings:80",
                "addr:",
                "addr:10.0.0.1",
                "10.0.0.1:80"
            })
    void refusesWhatIsNoDestination(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> DestinationKey.parse(text));
    }

    @Test
    void takesAWorkloadWithoutNamespaceForOneOfTheDefaultNamespace() {
        assertThat(WorkloadId.parse("shop/web-1")).isEqualTo(new WorkloadId("shop", "web-1"));
        assertThat(WorkloadId.parse("web-1")).isEqualTo(new WorkloadId("default", "web-1"));
        for (String text : List.of("", "/", "shop/", "/web", "a/b/c")) {
            assertThatIllegalArgumentException().isThrownBy(() -> WorkloadId.parse(text));
        }
    }
}
