package dev.tulle.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class PortOwnersTest {
    @Test
    @EnabledOnOs(OS.LINUX)
    void oneLineSaysWhichPortIsTakenAndByWhom() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket also = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TreeMap<Integer, String> wanted = new TreeMap<>();
            wanted.put(taken.getLocalPort(), "the page");
            wanted.put(also.getLocalPort(), "the load");

            assertThat(PortOwners.complaint(wanted))
                    .hasValueSatisfying(line -> assertThat(line)
                            .contains("port " + wanted.firstKey())
                            .contains("is taken by java (pid "
                                    + ProcessHandle.current().pid())
                            .contains("and 1 more ports are taken")
                            .contains("--port-base")
                            .doesNotContain("\n"));
        }
    }

    @Test
    void freePortsGiveNoComplaint() throws IOException {
        TreeMap<Integer, String> wanted = new TreeMap<>();
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            wanted.put(socket.getLocalPort(), "nothing");
        }

        assertThat(PortOwners.complaint(wanted)).isEmpty();
    }
}
