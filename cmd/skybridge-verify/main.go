// Command skybridge-verify checks offline what a Skybridge service says about
// its audit log: a signed checkpoint, the proof that an entry is in it, the
// proof that it continues an older checkpoint, and whole proof packs.
//
//	skybridge-verify --key log.pub proof.json
//	skybridge-verify --key log.pub [--older checkpoint] prove.zip
//
// prove.zip is what skybridge prove writes, or the console's page "My data".
// proof.json is what GET /api/v1/admin/audit-log/proof answers, the text of a
// checkpoint alone, or the certificate of an erasure. The key is the public key of the log, kept since a time
// when it was trusted: the one inside the file proves nothing and is ignored.
//
// It shares no code with the service but golang.org/x/mod, reads the named files,
// writes none and opens no socket. Exit codes: 0 everything holds, 1 something does not (the
// first is named), 2 the files cannot be read.
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
		_, _ = fmt.Fprintln(problems, "usage: skybridge-verify --key log.pub [--older checkpoint] prove.zip|proof.json")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return exitUsage
	}
	if *keyFile == "" || flags.NArg() != 1 {
		flags.Usage()
		return exitUsage
	}
	key, err1 := os.ReadFile(*keyFile)
	file, err2 := os.ReadFile(flags.Arg(0))
	var older []byte
	var err3 error
	if *olderFile != "" {
		older, err3 = os.ReadFile(*olderFile)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		_, _ = fmt.Fprintln(problems, "skybridge-verify:", err)
		return exitUsage
	}
	facts, err := checkAny(file, string(key), string(older))
	for _, f := range facts {
		_, _ = fmt.Fprintln(out, "ok  ", f)
	}
	if err != nil {
		_, _ = fmt.Fprintln(problems, "FALSE", err)
		return exitFalse
	}
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
