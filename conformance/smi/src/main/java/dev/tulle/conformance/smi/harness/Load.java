package dev.tulle.conformance.smi.harness;

import java.util.List;

/** Requests at a steady rate from one application, under way until it is asked for its end. */
public final class Load {
    private final Stage stage;
    private final App from;
    private final String id;
    private final String asked;

    Load(Stage stage, App from, String id, String asked) {
        this.stage = stage;
        this.from = from;
        this.id = id;
        this.asked = asked;
    }

    /** The caller's clock, in microseconds as {@link Outcome#sentMicros}: for the moment of a change. */
    public long now() {
        return from.ask("GET", "/now", "").path("micros").asLong();
    }

    /** Ends it, waits for what is under way and gives all of it. */
    public Calls end() {
        List<Outcome> outcomes = App.outcomes(from.ask("POST", "/load/end?id=" + id, ""));
        return new Calls(asked, outcomes, stage.received(id));
    }
}
