package dev.tulle.proxy.upstream;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The ports whose servers were seen to speak first; the newest so many. Any thread. */
public final class ServerFirstPorts<K> {
    private static final int MAX = 1024;

    private final Map<K, Boolean> ports = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Boolean> eldest) {
            return size() > MAX;
        }
    });

    public boolean contains(K port) {
        return ports.containsKey(port);
    }

    public void add(K port) {
        ports.put(port, true);
    }
}
