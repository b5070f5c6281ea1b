// Command testsum reads what test runners write, says it in few lines, and
// holds a run to two rules: no test may be skipped, and a stage without tests
// has failed.
//
//	go test -json ./... | testsum go STAGE     reads the stream of go test
//	node --test | testsum node STAGE           reads the stream of node's runner
//	testsum vitest STAGE FILE                  reads vitest's JSON report
//	testsum total                              adds up the stages of this run
//
// Each stage appends its figures to the file named by TESTSUM_FILE. It is not
// a runner: what ran, and with which flags, is decided by scripts/test.sh.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "go":
		return finish(args[1], summarizeGo(in, out), out)
	case len(args) == 2 && args[0] == "node":
		return finish(args[1], summarizeNode(in, out), out)
	case len(args) == 3 && args[0] == "vitest":
		report, err := os.Open(args[2])
		if err != nil {
			return fmt.Errorf("opening vitest's report: %w", err)
		}
		defer func() { _ = report.Close() }()
		return finish(args[1], summarizeVitest(report, out), out)
	case len(args) == 1 && args[0] == "total":
		return total(os.Getenv("TESTSUM_FILE"), out)
	default:
		return errors.New("usage: testsum go STAGE | node STAGE | vitest STAGE FILE | total")
	}
}
