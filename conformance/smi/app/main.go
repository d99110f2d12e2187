// Smi-app is the application of the SMI conformance suite: it serves, calls and remembers, and knows of no mesh.
//
//	:9091, :9095   HTTP/1.1 and HTTP/2 without TLS: what the published suite's application does, and an answer to every other path
//	:9093          TCP: each line is answered with the application's name
//	127.0.0.1:9092 control: what to call, and what was received; only the pod itself and port forwarding reach it
//
// SERVICE_NAME is what it calls itself.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	name := os.Getenv("SERVICE_NAME")
	if name == "" {
		fmt.Fprintln(os.Stderr, "smi-app: SERVICE_NAME is not set")
		os.Exit(2)
	}
	memory := &memory{}
	published := &published{name: name, client: &http.Client{Transport: transport("h1", false)}}

	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	for _, port := range []int{9091, 9095} {
		web := &http.Server{Handler: &web{name, port, memory, published}, Protocols: &protocols}
		go func() { log.Fatal(web.Serve(listen(fmt.Sprintf(":%d", port)))) }()
	}
	go serveTCP(listen(":9093"), name, 9093, memory)
	control := &http.Server{Handler: newControl(memory)}
	go func() { log.Fatal(control.Serve(listen("127.0.0.1:9092"))) }()
	fmt.Println(name, "is up")

	// The first process of a container ends by no signal that it does not handle.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}

func listen(address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}
