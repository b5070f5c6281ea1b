//go:build linux

// Command hostnet does to the network of its namespace what skyconnect does, so
// that the network tests can kill it on the way. It is not shipped.
//
//	hostnet SCRIPT.json
//
// The script has the host's configuration and what to do one after the other.
// A tunnel device that is not there is made, and goes with the process. Mounts
// are for a process that was started in a mount namespace of its own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

type script struct {
	Mounts []mount
	Config netcfg.Config
	Steps  []step
}

type mount struct {
	Type, Target, Options string
	Make                  []string // directories that must be there before
}

// step is one call: with a plan Apply, with a device Remove, with a program its
// run, with a file its content on the standard output, else Repair.
type step struct {
	Plan   *netcfg.Plan
	Remove string
	Run    []string
	Input  string
	Show   string
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "hostnet:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s script
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := private(s.Mounts); err != nil {
		return err
	}
	h, err := netcfg.New(s.Config)
	if err != nil {
		return err
	}
	for _, one := range s.Steps {
		err = errors.Join(err, do(h, one))
	}
	return errors.Join(err, h.Close())
}

// private mounts what nobody else is to see.
func private(mounts []mount) error {
	if len(mounts) == 0 {
		return nil
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	for _, m := range mounts {
		for _, dir := range append(m.Make, m.Target) {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(m.Type, m.Target, m.Type, 0, m.Options); err != nil {
			return fmt.Errorf("mounting %s: %w", m.Target, err)
		}
	}
	return nil
}

// held are the devices that are to last as long as the process.
var held []tun.Queue

func do(h *netcfg.Host, s step) error {
	ctx := context.Background()
	switch {
	case s.Plan != nil:
		if _, err := net.InterfaceByName(s.Plan.Device); err != nil {
			q, err := tun.Open(s.Plan.Device, 1)
			if err != nil {
				return err
			}
			held = append(held, q...)
		}
		warnings, err := h.Apply(ctx, *s.Plan)
		fmt.Println("warnings", warnings)
		return err
	case s.Remove != "":
		return h.Remove(ctx, s.Remove)
	case s.Run != nil:
		cmd := exec.Command(s.Run[0], s.Run[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.Input), os.Stdout, os.Stderr
		return cmd.Run()
	case s.Show != "":
		b, err := os.ReadFile(s.Show)
		fmt.Printf("%s: %q\n", s.Show, b)
		return err
	}
	done, err := h.Repair(ctx)
	fmt.Println("repaired", done.Devices)
	return err
}
