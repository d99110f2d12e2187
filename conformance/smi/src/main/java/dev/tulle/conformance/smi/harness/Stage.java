package dev.tulle.conformance.smi.harness;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The applications that the cases of one group share, in a namespace of their own: {@code @RegisterExtension static final Stage STAGE}.
 *
 * <p>Pods are dear and objects are cheap: pods live as long as the group, and what a case applies is deleted after it, before the next begins.
 * Namespaces are marked as {@link Target} says, so that the mesh takes the pods in.
 *
 * @see RegisterExtension
 */
public final class Stage implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
    /** Cases of a group that are waited for in full although none begins. */
    private static final int PATIENCE = 3;

    private static final Duration IMPATIENT = Duration.ofSeconds(1);

    private final String name;
    private final List<Pod> pods;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Map<String, App> apps = new LinkedHashMap<>();
    private int begunInVain;

    private Stage(String name, List<Pod> pods) {
        this.name = name;
        this.pods = pods;
    }

    /** A stage whose namespaces are named after {@code name}, with these pods on it; their names differ. */
    public static Stage of(String name, Pod... pods) {
        return new Stage(name, List.of(pods));
    }

    /** The namespace where most of it is. */
    public Place home() {
        return place(Pod.HOME);
    }

    /** Another one, named by {@link Pod#in}. */
    public Place place(String which) {
        Place place = places.get(which);
        if (place == null) {
            throw new IllegalArgumentException("no pod of this stage is in " + which + ": " + places.keySet());
        }
        return place;
    }

    public App app(String which) {
        App app = apps.get(which);
        if (app == null) {
            throw new IllegalArgumentException("no pod of this stage is named " + which + ": " + apps.keySet());
        }
        return app;
    }

    /** Applies YAML in the home namespace. */
    public void apply(String yaml) {
        home().apply(yaml);
    }

    /** Applies YAML in one of the namespaces, for all cases of the group: call it from {@code @BeforeAll}. */
    public void keep(String which, String yaml) {
        place(which).apply(yaml);
        place(which).keepApplied();
    }

    /** Has an application of this stage call, and gives what both sides say of it. */
    public Calls call(String from, Request request) {
        return call(app(from), request);
    }

    /** The same from an application outside of it, such as {@link Cluster#tester()}. */
    public Calls call(App from, Request request) {
        String id = newId();
        List<Outcome> outcomes = from.send(id, request);
        return new Calls(asked(from, request), outcomes, received(id));
    }

    /** Has an application open TCP connections to {@code address} ({@code host:port}) one after the other, each with one line said and answered. */
    public Calls connect(String from, String address, int times) {
        String id = newId();
        List<Outcome> outcomes = app(from).connect(id, address, times);
        return new Calls(from + ": TCP to " + address, outcomes, received(id));
    }

    /** Begins a load from an application of this stage. */
    public Load load(String from, Request request, int perSecond) {
        String id = newId();
        app(from).begin(id, request, perSecond);
        return new Load(this, app(from), id, asked(app(from), request));
    }

    private static String asked(App from, Request request) {
        return from.name() + ": " + request;
    }

    /**
     * Waits for what is so before a case's own objects are there. A mesh that kept some cases waiting in vain is waited for only shortly until it
     * is so again: a whole group that cannot begin ends soon.
     */
    public void begin(String what, Within.Check check) {
        Duration limit = begunInVain < PATIENCE ? Within.LIVE : IMPATIENT;
        begunInVain++;
        Within.eventually(limit, what, check);
        begunInVain = 0;
    }

    List<Received> received(String id) {
        List<Received> all = new ArrayList<>();
        apps.values().forEach(app -> all.addAll(app.received(id)));
        return all;
    }

    private static String newId() {
        return "%08x".formatted(ThreadLocalRandom.current().nextInt());
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        open();
    }

    /** Makes the namespaces and waits until the pods are ready. */
    void open() {
        Set<String> names = new TreeSet<>(Set.of(Pod.HOME));
        pods.forEach(pod -> names.add(pod.place()));
        for (String place : names) {
            places.put(place, Cluster.current().place(place.equals(Pod.HOME) ? name : name + "-" + place, true));
        }
        for (Pod pod : pods) {
            apps.put(pod.name(), App.start(place(pod.place()), pod));
        }
        places.values().forEach(Place::awaitReady);
        places.values().forEach(Place::keepApplied);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        places.values().forEach(Place::deleteApplied);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        close();
    }

    void close() {
        apps.values().forEach(App::close);
        places.values().forEach(place -> Cluster.current().remove(place.name()));
    }
}
