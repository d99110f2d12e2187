package dev.tulle.quickstart;

import java.nio.file.Path;

/** What there is to see and to try: each step is an edit of one file. */
final class Tour {
    private Tour() {}

    /** @param root the work folder, as the user would write it */
    static String text(Path root, Ports ports, String tulle) {
        String elsewhere =
                ports.base() == Ports.DEFAULT_BASE ? "" : "TULLE_SERVER=http://127.0.0.1:%d ".formatted(ports.http());
        String command = elsewhere + tulle;
        Path mesh = root.resolve("mesh");
        return """

                The shop   http://127.0.0.1:%1$d/
                The map    http://127.0.0.1:%2$d/
                The files  %3$s/   edit them; they count as soon as they are saved

                Every request goes web -> catalog -> reviews (v1, v2) -> ratings, and catalog -> stock, over mutual TLS.

                1 Shift traffic     %3$s/reviews-split.yaml: make 90 and 10 into 50 and 50
                                    look: %4$s stat
                2 Grant, revoke     curl -s 127.0.0.1:%5$d/try/catalog      the thief is denied; why?
                                    look: %4$s why -n shop thief catalog GET /products/tulle
                                    %3$s/access.yaml: take the '#' before a thief away, try again, put it back
                                    also /try/ratings (gRPC) and /try/stock (TCP)
                3 Split by header   %3$s/reviews-split.yaml: take the '#' of the last lines away
                                    look: curl -s 127.0.0.1:%1$d/plain -A iPhone
                4 Rotate the root   %3$s/settings.yaml: root-generation: "2"
                                    look: %4$s ca      and that no customer sees it: curl -s 127.0.0.1:%6$d/stats
                5 Kill an instance  kill -9 $(cat %7$s/pids/reviews-v1-2)
                                    look: %4$s check   it is started again after 15 s
                6 Kill the head     kill -9 $(cat %7$s/pids/controller)
                                    traffic goes on without it; it is started again after 15 s

                Well?  %4$s check      Logs: %7$s/logs/      End: Ctrl-C
                """.formatted(
                ports.listen(Shop.WEB), ports.http(), mesh, command, ports.control(Shop.THIEF), ports.load(), root);
    }
}
