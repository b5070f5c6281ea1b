package privacy_test

import (
	"context"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, privacy.Migrations()).Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := holding.Verify(privacy.Holdings(), live); err != nil {
		t.Error(err)
	}
}
