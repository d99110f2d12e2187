package dev.tulle.proxy.outbound;

import dev.tulle.proxy.model.DestinationKey;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The destinations whose servers were seen to speak first; those used last, so many. Any thread. */
final class ServerFirstDestinations {
    private static final int MAX = 1024;

    private final Map<DestinationKey, Boolean> seen = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<DestinationKey, Boolean> eldest) {
            return size() > MAX;
        }
    });

    boolean contains(DestinationKey key) {
        return seen.containsKey(key);
    }

    void add(DestinationKey key) {
        seen.put(key, true);
    }
}
