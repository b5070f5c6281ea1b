// Command skybridge-verify checks offline what a Skybridge service says about
// its audit log: a signed checkpoint, the proof that an entry is in it, the
// proof that it continues an older checkpoint, and whole proof packs.
//
//	skybridge-verify --key log.pub proof.json ...
//	skybridge-verify --key log.pub [--older checkpoint] prove.zip
//
// prove.zip is what skybridge prove writes, or the console's page "My data".
// proof.json is what GET /api/v1/admin/audit-log/proof answers, the text of a
// checkpoint alone, or the certificate of an erasure. The key is the public key of the log, kept since a time
// when it was trusted: the one inside the file proves nothing and is ignored.
//
// It shares no code with the service but golang.org/x/mod, reads the named files,
// writes none and opens no socket. Exit codes: 0 everything holds, 1 something does not (the
// first of each file is named), 2 the files cannot be read.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	exitFalse = 1
	exitUsage = 2
)

func run(args []string, out, problems io.Writer) int {
	flags := flag.NewFlagSet("skybridge-verify", flag.ContinueOnError)
	flags.SetOutput(problems)
	keyFile := flags.String("key", "", "file with the log's public key")
	olderFile := flags.String("older", "", "file with a checkpoint that you kept earlier, for a proof pack")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(problems, "usage: skybridge-verify --key log.pub [--older checkpoint] prove.zip|proof.json ...")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return exitUsage
	}
	if *keyFile == "" || flags.NArg() == 0 {
		flags.Usage()
		if *keyFile == "" {
			_, _ = fmt.Fprintln(problems, "The key is the operator's checkpoint.pub. Get it from elsewhere than what it is to verify.")
		}
		return exitUsage
	}
	key, err := os.ReadFile(*keyFile)
	var older []byte
	if *olderFile != "" && err == nil {
		older, err = os.ReadFile(*olderFile)
	}
	if err != nil {
		_, _ = fmt.Fprintln(problems, "skybridge-verify:", err)
		return exitUsage
	}
	worst := 0
	for _, name := range flags.Args() {
		if flags.NArg() > 1 {
			_, _ = fmt.Fprintln(out, name)
		}
		worst = max(worst, one(name, string(key), string(older), out, problems))
	}
	return worst
}

// one checks a file and tells what holds in it.
func one(name, key, older string, out, problems io.Writer) int {
	file, err := os.ReadFile(name)
	if err != nil {
		_, _ = fmt.Fprintln(problems, "skybridge-verify:", err)
		return exitUsage
	}
	facts, err := checkAny(file, key, older)
	for _, f := range facts {
		_, _ = fmt.Fprintln(out, "ok  ", f)
	}
	if err != nil {
		_, _ = fmt.Fprintf(problems, "FALSE %s: %v\n", name, err)
		return exitFalse
	}
	_, _ = fmt.Fprintf(out, "TRUE  %s: all %d checks hold\n", name, len(facts))
	return 0
}

// checkAny takes a proof pack, a certificate, a proof file or a checkpoint.
func checkAny(file []byte, key, older string) ([]string, error) {
	if bytes.HasPrefix(file, []byte("PK")) {
		return checkPack(file, key, older)
	}
	if older != "" {
		return nil, errors.New("older checkpoint: a proof file has its own; this is for proof packs")
	}
	if bytes.Contains(file[:min(len(file), 64)], []byte(erasureFormat)) {
		return checkErasure(file, key)
	}
	return check(file, key)
}
