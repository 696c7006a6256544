package local

import (
	"context"

	es "github.com/esgen/esgen/runtime"
)

// consume serves one consumer. Its place in the feed is kept from its first start
// on; nothing is handed to it by this build.
func (p *program) consume(ctx context.Context, c es.Consumer, stores es.Stores) {
	p.log.Warn("this build does not run consumers", "consumer", c.Name)
}
