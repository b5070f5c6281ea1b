// Command load is what the benchmark asks of many clients at once, without a
// network of its own: everything is on loopback, packets are made in user space.
//
//	load idle     [-sessions 10000] [-settle 60s]   memory of a gateway with idle sessions
//	load busy     [-clients 200] [-seconds 10]      throughput and fairness of many clients
//	load connects [-rate 10] [-seconds 30]          time to connect with real passwords
//	load gateway                                    the gateway of idle and busy, as their child
//
// Each prints one JSON object. The gateway is the real one with pre-signed
// grants in place of a control plane, and a device in memory that sends every
// packet back to where it came from.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// figure is one line of the benchmark's result.
type figure struct {
	Row   string             `json:"row"`
	Name  string             `json:"name"`
	Unit  string             `json:"unit"`
	Value float64            `json:"value"`
	Goal  string             `json:"goal"`
	More  map[string]float64 `json:"more"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what: idle, busy, connects")
	}
	fs := flag.NewFlagSet(args[0], flag.ExitOnError)
	n := fs.Int("sessions", 10_000, "idle: how many")
	clients := fs.Int("clients", 200, "busy: how many")
	seconds := fs.Int("seconds", 10, "busy, connects: how long")
	rate := fs.Int("rate", 10, "connects: how many a second")
	settle := fs.Duration("settle", time.Minute, "idle: time before the look")
	heap := fs.String("heap", "", "gateway: file for a heap profile at the end")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	var figures []figure
	var err error
	switch args[0] {
	case "idle":
		figures, err = idle(*n, *settle, *heap)
	case "busy":
		figures, err = busy(*clients, time.Duration(*seconds)*time.Second)
	case "connects":
		figures, err = connects(*rate, time.Duration(*seconds)*time.Second)
	case "gateway":
		return gateway(*heap)
	default:
		return fmt.Errorf("no load %q", args[0])
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, f := range figures {
		err = errors.Join(err, out.Encode(f))
	}
	return err
}
