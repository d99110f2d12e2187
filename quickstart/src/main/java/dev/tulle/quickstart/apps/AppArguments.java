package dev.tulle.quickstart.apps;

import static java.util.Objects.requireNonNull;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an application is told on its command line.
 *
 * @param app which one, for example {@code web}
 * @param instance the workload it belongs to, for example {@code web-1}
 * @param version a word the answers carry, or empty
 * @param inPod whether it is the only one in a pod: listens on every address there, and lives until it is told to end
 * @param port where it listens, else on 127.0.0.1; 0 chooses one, and an application without a listener ignores it
 * @param control where it tells what it received, always on 127.0.0.1; 0 chooses one
 * @param calls name of another application to the local {@code address:port} it is called at
 */
public record AppArguments(
        String app, String instance, String version, boolean inPod, int port, int control, Map<String, String> calls) {
    public AppArguments {
        requireNonNull(app, "app");
        requireNonNull(instance, "instance");
        requireNonNull(version, "version");
        calls = Map.copyOf(calls);
    }

    /**
     * Reads {@code APP --instance I [--version V] [--pod true] [--port P] --control P [--call NAME=HOST:PORT]...}.
     *
     * @throws IllegalArgumentException that quotes what it does not know
     */
    public static AppArguments parse(List<String> words) {
        if (words.isEmpty()) {
            throw new IllegalArgumentException("which application?");
        }
        String instance = words.getFirst();
        String version = "";
        boolean inPod = false;
        int port = 0;
        int control = 0;
        Map<String, String> calls = new TreeMap<>();
        for (int i = 1; i < words.size(); i += 2) {
            if (i + 1 == words.size()) {
                throw new IllegalArgumentException("'%s' needs a value".formatted(words.get(i)));
            }
            String value = words.get(i + 1);
            switch (words.get(i)) {
                case "--instance" -> instance = value;
                case "--version" -> version = value;
                case "--pod" -> inPod = Boolean.parseBoolean(value);
                case "--port" -> port = Integer.parseInt(value);
                case "--control" -> control = Integer.parseInt(value);
                case "--call" -> {
                    int equals = value.indexOf('=');
                    if (equals < 1) {
                        throw new IllegalArgumentException("--call is NAME=HOST:PORT, not '%s'".formatted(value));
                    }
                    calls.put(value.substring(0, equals), value.substring(equals + 1));
                }
                default -> throw new IllegalArgumentException("unknown option '%s'".formatted(words.get(i)));
            }
        }
        return new AppArguments(words.getFirst(), instance, version, inPod, port, control, calls);
    }

    /** Where its callers find it. */
    InetSocketAddress listen() {
        return inPod ? new InetSocketAddress(port) : new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** Where the application {@code name} is called; throws IllegalArgumentException when {@code --call} does not say. */
    public String call(String name) {
        String address = calls.get(name);
        if (address == null) {
            throw new IllegalArgumentException("%s needs --call %s=HOST:PORT".formatted(app, name));
        }
        return address;
    }
}
