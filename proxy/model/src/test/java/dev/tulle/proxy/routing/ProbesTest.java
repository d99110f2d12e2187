package dev.tulle.proxy.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.WorkloadConfig.Probe;
import dev.tulle.proxy.model.WorkloadConfig.Probe.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProbesTest {
    private final List<String> problems = new ArrayList<>();

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource({
        "GET,     /healthz,         true",
        "GET,     /deep?full=1&a=b, true",
        "GET,     /dot/x,           true",
        "HEAD,    /healthz,         false",
        "POST,    /healthz,         false",
        "get,     /healthz,         false",
        "GET,     /healthz?full=1,  false",
        "GET,     /healthz/,        false",
        "GET,     /healthz/x,       false",
        "GET,     /health,          false",
        "GET,     /,                false",
        "GET,     /deep,            false",
        "GET,     /deep?full=1,     false",
        "GET,     /deep?a=b&full=1, false"
    })
    void admitsExactlyWhatIsDeclared(String method, String target, boolean admitted) {
        Probes probes = Probes.of(
                List.of(
                        new Probe(80, Kind.HTTP, "/healthz"),
                        new Probe(80, Kind.HTTP, "/deep?full=1&a=b"),
                        new Probe(80, Kind.HTTP, "/a/..//dot/./x")),
                problems::add);

        assertThat(probes.admitsHttp(method, target)).isEqualTo(admitted);
        assertThat(probes.admitsGrpc("POST", "/grpc.health.v1.Health/Check")).isFalse();
    }

    @Test
    void admitsTheOneMethodOfGrpcHealthChecking() {
        Probes probes = Probes.of(List.of(new Probe(80, Kind.GRPC, "")), problems::add);

        assertThat(probes.isEmpty()).isFalse();
        assertThat(probes.admitsGrpc("POST", "/grpc.health.v1.Health/Check")).isTrue();
        assertThat(probes.admitsGrpc("POST", "/grpc.health.v1.Health/Watch")).isFalse();
        assertThat(probes.admitsGrpc("GET", "/grpc.health.v1.Health/Check")).isFalse();
        assertThat(probes.admitsHttp("GET", "/grpc.health.v1.Health/Check")).isFalse();
    }

    @Test
    void tellsOfAPathThatNoRequestCanHave() {
        assertThat(Probes.of(List.of(new Probe(80, Kind.HTTP, "/a%2fb")), problems::add)
                        .isEmpty())
                .isTrue();
        assertThat(problems).singleElement().asString().contains("port 80", "/a%2fb", "encoded-separator");
    }
}
