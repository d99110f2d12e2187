package dev.tulle.cli.migrate;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The manifests for Tulle, and what became of each thing.
 *
 * @param files text by name: those that were read, without what Tulle does not know, and {@link Objects#NEW_FILE} for what is new
 * @param notes in {@link Note#ORDER}; every object that was read is in one at least
 */
public record Migrated(SortedMap<String, String> files, List<Note> notes) {
    public Migrated {
        files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
        notes = notes.stream().distinct().sorted(Note.ORDER).toList();
    }
}
