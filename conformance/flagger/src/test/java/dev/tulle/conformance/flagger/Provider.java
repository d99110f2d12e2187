package dev.tulle.conformance.flagger;

import java.util.Locale;

/** What a Canary may name as its provider, as far as it means SMI. */
enum Provider {
    SMI_V1ALPHA1("smi:v1alpha1", "v1alpha1", ""),
    SMI_V1ALPHA2("smi:v1alpha2", "v1alpha2", ""),
    SMI_V1ALPHA3("smi:v1alpha3", "v1alpha3", ""),
    LINKERD("linkerd", "v1alpha1", "linkerd"),
    OSM("osm", "v1alpha2", "osm");

    final String word;

    /** The version in which Flagger writes TrafficSplits. */
    final String version;

    /** Whose names its queries ask for, beside those that are always there. */
    final String metrics;

    Provider(String word, String version, String metrics) {
        this.word = word;
        this.version = version;
        this.metrics = metrics;
    }

    /** For names of objects. */
    String slug() {
        return word.replace(':', '-').toLowerCase(Locale.ROOT);
    }

    /** How Flagger writes a weight: v1alpha1 has quantities, which are text in JSON. */
    boolean writesText() {
        return version.equals("v1alpha1");
    }
}
