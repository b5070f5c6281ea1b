// Command node runs one gateway agent from a JSON configuration, for the
// network tests and the benchmark. It is not shipped: `skybridge gateway` is.
//
//	node CONFIG.json                     runs the agent until SIGTERM
//	node -hash < PASSWORD                prints a bcrypt hash for a users file
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	_ "net/http/pprof" // on PPROF only
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/crypto/bcrypt"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/test/bench/profile"
)

func main() {
	hash := flag.Bool("hash", false, "print the bcrypt hash of a password read from standard input")
	cpu := flag.String("cpuprofile", "", "file to write a CPU profile to")
	flag.Parse()
	if err := profile.CPU(*cpu, func() error { return run(*hash, flag.Arg(0)) }); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(hash bool, path string) error {
	if hash {
		return printHash()
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var cfg agent.Config
	if err := json.Unmarshal(b, &cfg); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if at := os.Getenv("PPROF"); at != "" {
		go func() { _ = http.ListenAndServe(at, nil) }()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return agent.Run(ctx, cfg)
}

func printHash() error {
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	h, err := bcrypt.GenerateFromPassword(in.Bytes(), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	fmt.Println(string(h))
	return in.Err()
}
