package dev.tulle.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.HostPort;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class PortsTest {
    @Test
    void namesThePortAndWhoHasIt() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(Ports.obstacle(new HostPort("127.0.0.1", taken.getLocalPort()), "--http"))
                    .hasValueSatisfying(sentence -> assertThat(sentence)
                            .contains("port " + taken.getLocalPort())
                            .contains("process " + ProcessHandle.current().pid())
                            .contains("--http"));
        }
    }

    @Test
    void isSilentAboutAFreePort() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        assertThat(Ports.obstacle(new HostPort("127.0.0.1", free), "--http")).isEmpty();
        assertThat(Ports.obstacle(new HostPort("127.0.0.1", 0), "--http")).isEmpty();
    }

    @Test
    void saysWhenTheAddressIsNotOurs() {
        assertThat(Ports.obstacle(new HostPort("192.0.2.1", 15880), "--http"))
                .hasValueSatisfying(sentence -> assertThat(sentence).contains("cannot listen on 192.0.2.1:15880"));
    }
}
