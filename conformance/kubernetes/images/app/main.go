// App is whatever an application in a test has to be: one static program that serves, calls and counts.
//
//	app serve [--http :8080] [--https :8443] [--echo :9000] [--greet :9001] [--udp :9002] ...
//	app load [--rate 100] [--seconds 10] [--protocol h1|h2] ... URL     calls at a steady rate, prints JSON
//	app get [--protocol h1|h2|h2c] [--method GET] [--body TEXT] ... URL prints status, headers and body
//	app tcp [--say TEXT] ADDRESS        prints what the other side says
//	app udp --say TEXT ADDRESS          the same by UDP
//	app grpc [--service NAME] ADDRESS   asks gRPC's health service, prints SERVING or why not
//	app websocket --say TEXT URL        prints the echoed message
//	app lookup NAME                     prints the addresses of a name, or SRV records with --srv
//	app sleep                           lives until it is told to end
//
// Exit code: 0 done, 1 failed, 2 wrong usage.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

var commands = map[string]func(arguments []string) error{
	"serve":     serve,
	"load":      load,
	"get":       get,
	"tcp":       sayTCP,
	"udp":       sayUDP,
	"grpc":      grpcHealth,
	"websocket": sayWebSocket,
	"lookup":    lookup,
	"sleep":     sleepUntilTold,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: app serve|load|get|tcp|udp|grpc|websocket|lookup|sleep ...")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// told is closed by SIGTERM or SIGINT: the first process of a container ends by no signal that it does not handle.
func told() chan os.Signal {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	return stop
}

func sleepUntilTold([]string) error {
	<-told()
	return nil
}
