// Command mutants turns the gate of each enforced clause off, one after the
// other, and runs the tests that the registry names for it: at least one has to
// fail. With all gates on they have to pass. It prints a table, and fails if a
// mutant lives.
//
//	go run ./test/mutants [-record FILE] [CLAUSE ...]
//
// Clauses that are named are the only ones. -record writes what killed each into
// the registry's record, internal/control/clause/killed.yaml, and leaves what it
// says of others.
//
// One test binary for each package, built with the tag "mutate", does for all of
// its mutants.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	record := flag.String("record", "", "file that says what killed each mutant")
	flag.Parse()
	if err := run(ctx, flag.Args(), *record); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string, record string) error {
	all, err := clause.Load()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := runner{ctx: ctx, dir: dir, built: map[string]string{}}
	alive, killed := 0, map[string]string{}
	for _, c := range all {
		if c.State() != clause.Enforced || len(only) > 0 && !slices.Contains(only, c.ID) {
			continue
		}
		killer, err := r.kill(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		verdict := "killed by " + killer
		if killed[c.ID] = killer; killer == "" {
			alive++
			verdict = "ALIVE: none of its tests fails with its gate off"
		}
		fmt.Printf("%-8s  %s\n", c.ID, verdict)
	}
	if err := keep(record, all, killed); err != nil {
		return err
	}
	if alive > 0 {
		return fmt.Errorf("%d clauses would not be missed", alive)
	}
	return nil
}

// keep adds what killed each mutant to a record; the empty name keeps nothing.
func keep(file string, all []clause.Clause, killed map[string]string) error {
	if file == "" {
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	record := map[string]string{}
	if err := yaml.Unmarshal(old, &record); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	maps.Copy(record, killed)
	var out strings.Builder
	out.WriteString("# The test that failed with each clause's gate off. Made by go run ./test/mutants -record.\n")
	for _, c := range all {
		if record[c.ID] != "" && c.State() == clause.Enforced {
			fmt.Fprintf(&out, "%s: %s\n", c.ID, record[c.ID])
		}
	}
	return os.WriteFile(file, []byte(out.String()), 0o644)
}

type runner struct {
	ctx   context.Context
	dir   string
	built map[string]string // test binary of each directory
}

// kill returns the first of a clause's tests that fails with its gate off; "" if
// none does. One that fails with all gates on is an error.
func (r runner) kill(c clause.Clause) (string, error) {
	killer := ""
	for _, test := range c.Tests {
		pkg, name, _ := strings.Cut(test, ".")
		if out, ok, err := r.test(pkg, name, ""); err != nil || !ok {
			return "", fmt.Errorf("%s fails with all gates on: %w\n%s", test, err, out)
		}
		_, ok, err := r.test(pkg, name, c.Mutate)
		if err != nil {
			return "", err
		}
		if !ok && killer == "" {
			killer = test
		}
	}
	return killer, nil
}

// test runs one test. ok is false if it failed; a test that is not there is an
// error.
func (r runner) test(pkg, name, mutant string) (out string, ok bool, err error) {
	binary, err := r.build(pkg)
	if err != nil {
		return "", false, err
	}
	cmd := exec.CommandContext(r.ctx, binary, "-test.run", "^"+name+"$", "-test.v", "-test.timeout", "5m")
	cmd.Dir = filepath.FromSlash(pkg)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SKYBRIDGE_MUTANT=") }), "SKYBRIDGE_MUTANT="+mutant)
	text, err := cmd.CombinedOutput()
	if !strings.Contains(string(text), "=== RUN   "+name) {
		return string(text), false, fmt.Errorf("%s has no test %s", pkg, name)
	}
	if r.ctx.Err() != nil {
		return string(text), false, r.ctx.Err()
	}
	return string(text), err == nil, nil
}

func (r runner) build(pkg string) (string, error) {
	if binary, ok := r.built[pkg]; ok {
		return binary, nil
	}
	binary := filepath.Join(r.dir, strings.ReplaceAll(pkg, "/", "-"))
	cmd := exec.CommandContext(r.ctx, "go", "test", "-c", "-tags", "mutate", "-o", binary, "./"+pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	r.built[pkg] = binary
	return binary, nil
}
