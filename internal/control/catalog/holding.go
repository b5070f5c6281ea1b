package catalog

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the module's tables: nothing in them is about a person.
func Holdings() []holding.Table {
	const why = "the shop's public catalogue"
	return []holding.Table{
		holding.Of("catalog_version", holding.None(why, "version", "digest", "published_at")),
		holding.Of("catalog_region", holding.None(why, "version", "id", "location", "name_zh", "name_en", "position")),
		holding.Of("catalog_product", holding.None(why, "version", "id", "name_zh", "name_en", "max_cycle", "position")),
		holding.Of("catalog_price", holding.None(why, "version", "product", "region", "option_id", "option_value",
			"currency", "monthly_minor", "position")),
	}
}
