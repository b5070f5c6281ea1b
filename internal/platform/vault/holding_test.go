package vault_test

import (
	"context"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, vault.Migrations()).Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := holding.Verify(vault.Holdings(), live); err != nil {
		t.Error(err)
	}
}
