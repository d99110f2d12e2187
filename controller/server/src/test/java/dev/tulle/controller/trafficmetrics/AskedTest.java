package dev.tulle.controller.trafficmetrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tulle.controller.trafficmetrics.Asked.Right;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AskedTest {
    @Test
    void aPathIsReadAsTheApiServerReadsIt() {
        assertThat(right("/deployments")).isEqualTo(new Right("list", "deployments", "", "", ""));
        assertThat(right("/namespaces")).isEqualTo(new Right("list", "namespaces", "", "", ""));
        assertThat(right("/namespaces/shop")).isEqualTo(new Right("get", "namespaces", "", "shop", "shop"));
        assertThat(right("/namespaces/shop/edges")).isEqualTo(new Right("list", "edges", "", "shop", ""));
        assertThat(right("/namespaces/shop/pods")).isEqualTo(new Right("list", "pods", "", "shop", ""));
        assertThat(right("/namespaces/shop/pods/web-1")).isEqualTo(new Right("get", "pods", "", "shop", "web-1"));
        assertThat(right("/namespaces/shop/pods/web-1/edges"))
                .isEqualTo(new Right("get", "pods", "edges", "shop", "web-1"));
        assertThat(right("/nodes/node.one/edges")).isEqualTo(new Right("get", "nodes", "edges", "", "node.one"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/api",
                "/apis/metrics.smi-spec.io/v1alpha2",
                "/apis/metrics.smi-spec.io/v1alpha1/widgets",
                "/apis/metrics.smi-spec.io/v1alpha1/deployments/web",
                "/apis/metrics.smi-spec.io/v1alpha1//pods",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/nodes",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/namespaces",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/pods/web-1/log",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/pods/web-1/edges/more",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/pods/../../kube-system",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/%73hop/pods",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/pods/",
                "/apis/metrics.smi-spec.io/v1alpha1/namespaces/shop/trafficsplits/canary/edges",
                "/openapi/v2"
            })
    void thereIsNothingAtOtherPaths(String path) {
        assertThat(Asked.read(path)).isEmpty();
    }

    @Test
    void aSelectorIsReadAsKubectlWritesIt() {
        Map<String, String> labels = Map.of("app", "web", "tier", "front", "tulle.dev/x", "");

        assertThat(holds("", labels)).isTrue();
        assertThat(holds("app=web,tier==front", labels)).isTrue();
        assertThat(holds("app!=web", labels)).isFalse();
        assertThat(holds("absent!=web", labels)).isTrue();
        assertThat(holds("app in (web, shop),tier notin (back)", labels)).isTrue();
        assertThat(holds("app notin (web)", labels)).isFalse();
        assertThat(holds("tulle.dev/x", labels)).isTrue();
        assertThat(holds("!tulle.dev/x", labels)).isFalse();
        assertThat(holds("tulle.dev/x=", labels)).isTrue();
        assertThatThrownBy(() -> LabelSelector.parse("app>3"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'app>3'");
        assertThatThrownBy(() -> LabelSelector.parse("app,,tier")).isInstanceOf(IllegalArgumentException.class);
    }

    private static boolean holds(String selector, Map<String, String> labels) {
        return LabelSelector.parse(selector).holds(labels);
    }

    private static Right right(String path) {
        Optional<Asked> asked = Asked.read(Asked.PREFIX + path);
        assertThat(asked).containsInstanceOf(Asked.Traffic.class);
        return ((Asked.Traffic) asked.orElseThrow()).right();
    }
}
