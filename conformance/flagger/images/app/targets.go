package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// pods is what is looked at of a list of pods.
type pods struct {
	Items []struct {
		Spec struct {
			InitContainers []struct {
				Ports []struct {
					Name          string
					ContainerPort int
				}
			}
		}
		Status struct {
			Phase string
			PodIP string
		}
	}
}

// targets is discovery by HTTP for a Prometheus without Kubernetes' own: running pods with a container port called tulle-admin.
func targets() {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	server := "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	list := func() ([]string, error) {
		token, err := os.ReadFile(account + "token")
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequest("GET", server+"/api/v1/pods?resourceVersion=0", nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+string(token))
		answer, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != 200 {
			return nil, fmt.Errorf("pods: %s", answer.Status)
		}
		var found pods
		if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
			return nil, err
		}
		addresses := []string{}
		for _, pod := range found.Items {
			for _, container := range pod.Spec.InitContainers {
				for _, port := range container.Ports {
					if port.Name == "tulle-admin" && pod.Status.Phase == "Running" {
						addresses = append(addresses, net.JoinHostPort(pod.Status.PodIP, fmt.Sprint(port.ContainerPort)))
					}
				}
			}
		}
		return addresses, nil
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8082", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		addresses, err := list()
		if err != nil {
			log.Print(err)
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode([]map[string][]string{{"targets": addresses}})
	})))
}
