package dev.tulle.controller.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GuardTest {
    @Test
    void letsAddressesAndOwnNamesIn() {
        for (String host :
                new String[] {"localhost", "tulle.localhost", "127.0.0.1", "10.1.2.3", "::1", "[::1]", "mesh.internal"
                }) {
            assertThat(Guard.isOwn(host, "mesh.internal")).as(host).isTrue();
        }
    }

    @Test
    void refusesNamesThatSomebodyElseMayPointHere() {
        for (String host :
                new String[] {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhos"}) {
            assertThat(Guard.isOwn(host, "127.0.0.1")).as(host).isFalse();
        }
    }
}
