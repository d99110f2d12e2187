package dev.tulle.controller.resources;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the name that was probably meant by one that is not there. */
public final class NearestName {
    private static final int LONGEST = 128;

    private NearestName() {}

    /** The name that is at most two changes and a third of its length away; of several the nearest, then the first by the alphabet. */
    public static Optional<String> to(String written, Collection<String> names) {
        int most = Math.min(2, written.length() / 3);
        return written.length() > LONGEST
                ? Optional.empty()
                : names.stream()
                        .filter(name -> !name.equals(written) && name.length() <= LONGEST)
                        .filter(name -> changes(written, name) <= most)
                        .min(Comparator.comparingInt((String name) -> changes(written, name))
                                .thenComparing(Comparator.naturalOrder()));
    }

    /** A clause for people that ends with a blank, or nothing. */
    public static String question(String written, Collection<String> names) {
        return to(written, names).map("is %s meant? "::formatted).orElse("");
    }

    /** How many letters must be put in, taken out, changed or swapped with their neighbour (Damerau, optimal string alignment). */
    private static int changes(String one, String other) {
        int[][] distance = new int[one.length() + 1][other.length() + 1];
        for (int i = 0; i <= one.length(); i++) {
            for (int j = 0; j <= other.length(); j++) {
                if (i == 0 || j == 0) {
                    distance[i][j] = i + j;
                    continue;
                }
                int same = one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1;
                distance[i][j] =
                        Math.min(distance[i - 1][j - 1] + same, 1 + Math.min(distance[i - 1][j], distance[i][j - 1]));
                boolean swapped = i > 1
                        && j > 1
                        && one.charAt(i - 1) == other.charAt(j - 2)
                        && one.charAt(i - 2) == other.charAt(j - 1);
                if (swapped) {
                    distance[i][j] = Math.min(distance[i][j], distance[i - 2][j - 2] + 1);
                }
            }
        }
        return distance[one.length()][other.length()];
    }
}
