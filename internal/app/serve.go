package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/app/lab"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// LabName is the name of the demonstration's bridge and namespaces.
const LabName = "skydemo"

// Serve runs a single host: the control plane and the gateway node as two
// processes of this program, and in a demonstration the simulators as a third.
// A process that ends is started again, after one second at first and thirty
// at most; Serve returns when ctx ends and all have ended.
func Serve(ctx context.Context, cfg config.Config, out io.Writer, log *slog.Logger) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if err := os.MkdirAll(cfg.Path("run"), 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	unlock, err := lockData(cfg)
	if err != nil {
		return err
	}
	defer unlock()
	if cfg.Demo.Enabled {
		stop, err := prepareDemo(ctx, &cfg, self, out, log)
		if err != nil {
			return err
		}
		defer stop()
	}
	file, err := writeEffective(cfg)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, name := range processes(cfg) {
		wg.Go(func() {
			if name == "gateway" {
				// It would only complain that nobody answers yet.
				awaitFile(ctx, cfg.ControlSocket(), 10*time.Second)
			}
			keep(ctx, self, name, file, out, log)
		})
	}
	wg.Wait()
	if cfg.Demo.Enabled {
		// A real node keeps its gateways' namespaces for its next process.
		return agent.Clear(cfg.Path("node"))
	}
	return nil
}

func processes(cfg config.Config) []string {
	if cfg.Demo.Enabled {
		return []string{"simulators", "control", "gateway"}
	}
	return []string{"control", "gateway"}
}

// lockData keeps two servers from using one data directory.
func lockData(cfg config.Config) (unlock func(), err error) {
	f, err := os.OpenFile(cfg.Path("run", "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data directory %s is in use by another skybridge: stop it, or choose another with --data", cfg.Data)
	}
	return func() { _ = f.Close() }, nil
}

// prepareDemo makes the laboratory where the machine allows it and points the
// node at it. Without root the control plane runs all the same.
func prepareDemo(ctx context.Context, cfg *config.Config, self string, out io.Writer, log *slog.Logger) (stop func(), err error) {
	if cfg.Profile == "hongkong" && cfg.Node.Region == config.Default().Node.Region {
		// The demonstration's node stands where its profile's operator is.
		cfg.Node.Region, cfg.Node.Location = "hk-1", "HK"
	}
	if !cfg.Demo.Lab {
		return func() {}, nil
	}
	l, err := lab.Start(ctx, LabName, []string{self, "lab-host"}, io.Discard)
	if errors.Is(err, lab.ErrRights) {
		fmt.Fprintln(out, "Not root: the console and the control plane run, but no VPN traffic can flow. Start with sudo for the whole demonstration.")
		log.Warn("no laboratory", "reason", err.Error())
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	cfg.Node.Addresses = append(cfg.Node.Addresses[:0:0], lab.NodeAddress.Addr())
	demo := config.Network{
		Title: "Demo VPC", Bridge: l.Bridge(), CIDR: lab.VPC,
		Address: lab.GatewayFirst, Last: lab.GatewayLast, Masquerade: true,
	}
	if l.IPv6() {
		demo.CIDR6, demo.Address6 = lab.VPC6, lab.GatewayFirst6
	}
	cfg.Node.Networks = map[string]config.Network{"demo": demo}
	return func() { _ = l.Close() }, nil
}

// writeEffective writes what the processes read. Secrets are named by file; the
// one that a database's URL may hold all the same keeps the mode at 0600.
func writeEffective(cfg config.Config) (string, error) {
	abs, err := filepath.Abs(cfg.Data)
	if err != nil {
		return "", err
	}
	cfg.Data = abs
	text, err := yaml.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("writing the effective configuration: %w", err)
	}
	file := cfg.Path("run", "config.yaml")
	return file, os.WriteFile(file, text, 0o600)
}

// keep runs one process and starts it again when it ends.
func keep(ctx context.Context, self, name, file string, out io.Writer, log *slog.Logger) {
	wait := time.Second
	for ctx.Err() == nil {
		started := time.Now()
		err := runProcess(ctx, self, name, file, out)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > time.Minute {
			wait = time.Second
		}
		log.Error("a process ended and is started again", "process", name, "error", errorText(err), "wait", wait.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait())
	}
}

// awaitFile waits until a file is there, at most for a time.
func awaitFile(ctx context.Context, path string, most time.Duration) {
	end := time.Now().Add(most)
	for time.Now().Before(end) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// longestWait bounds the pause before a process is started again. In a build
// whose processes are killed on purpose there is no need to wait.
func longestWait() time.Duration {
	if fault.Enabled {
		return time.Second
	}
	return 30 * time.Second
}

func errorText(err error) string {
	if err == nil {
		return "exit 0"
	}
	return err.Error()
}

func runProcess(ctx context.Context, self, name, file string, out io.Writer) error {
	cmd := exec.Command(self, name, "--config", file)
	cmd.Stdout, cmd.Stderr = out, out
	// A process group of its own, so that ^C reaches us alone and we end the
	// children in order; and none outlives us, not even a kill -9.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := startLocked(cmd); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-done:
		return err
	case <-time.After(15 * time.Second):
		_ = cmd.Process.Kill()
		return <-done
	}
}
