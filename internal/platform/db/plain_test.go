package db_test

import (
	"context"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

func TestAPlainConnectionToAnotherMachineIsRefusedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(context.Background())
	stop() // what is not refused fails at the first step on the network
	for dsn, refused := range map[string]bool{
		"postgres://u@db.example/x":                                        true, // sslmode=prefer
		"postgres://u@db.example/x?sslmode=disable":                        true,
		"postgres://u@db.example/x?sslmode=require":                        true,
		"postgres://u@192.0.2.1/x?sslmode=allow":                           true,
		"postgres://u@db.example/x?sslmode=verify-full":                    false,
		"postgres://u@127.0.0.1,db.example/x?sslmode=disable":              true,
		"postgres://u@127.0.0.1/x?sslmode=disable":                         false,
		"postgres://u@[::1]/x":                                             false,
		"postgres://u@localhost/x":                                         false,
		"postgres:///x?host=/run/postgresql&user=u":                        false,
		"postgres://u@127.0.0.1.example/x":                                 true,
		"postgresql://u@db.example/x?sslmode=require":                      true,
		"postgres://u@db.example,other.example:5433/x?sslmode=verify-full": false,
	} {
		_, err := db.Open(ctx, dsn)
		if got := errors.Is(err, db.ErrPlain); got != refused {
			t.Errorf("%s: got %v, want refused %v", dsn, err, refused)
		}
	}
}
