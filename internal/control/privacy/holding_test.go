package privacy_test

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, privacy.Migrations()).Schema(ctx)
	must(t, err)
	must(t, holding.Verify(privacy.Holdings(), live))
}
