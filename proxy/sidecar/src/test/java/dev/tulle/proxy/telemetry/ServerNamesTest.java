package dev.tulle.proxy.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.Report.Direction;
import dev.tulle.proxy.telemetry.ServerNames.Seen;
import org.junit.jupiter.api.Test;

class ServerNamesTest {
    private final ServerNames names = new ServerNames(2);

    @Test
    void saysOnceThatANameIsNewAndCountsItsConnections() {
        assertThat(names.seen(outbound("a.example"))).isTrue();
        assertThat(names.seen(outbound("a.example"))).isFalse();
        assertThat(names.json())
                .isEqualTo(
                        "{\"serverNames\":[{\"direction\":\"outbound\",\"at\":\"svc:shop/db:5432\",\"name\":\"a.example\","
                                + "\"connections\":2}],\"others\":0}");
    }

    @Test
    void remembersNoMoreThanItMay() {
        for (int i = 0; i < 10; i++) {
            names.seen(outbound(i + ".example"));
        }
        assertThat(names.json())
                .contains("0.example", "1.example", "\"others\":8")
                .doesNotContain("2.example");
    }

    @Test
    void remembersNothingThatIsNoHostName() {
        for (String name : new String[] {"", "a\"b", "a b", "\n", "ä.example", "x".repeat(254)}) {
            assertThat(names.seen(outbound(name))).isFalse();
        }
        assertThat(names.json()).isEqualTo("{\"serverNames\":[],\"others\":6}");
    }

    private static Seen outbound(String name) {
        return new Seen(Direction.OUTBOUND, "svc:shop/db:5432", name);
    }
}
