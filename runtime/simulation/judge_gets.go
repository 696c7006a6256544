package simulation

import "strconv"

// judgeGets: every record that was read is the fold of a history up to some version, one
// that the question allows.
func (j *judge) judgeGets() {
	for i := range j.clients.gets {
		g := &j.clients.gets[i]
		if g.status != 200 && g.status != 404 {
			if g.status != 0 && g.status != 503 {
				j.breach(g.entity, "%s of %s was answered with %d %s", g.entity, g.view, g.status, g.raw)
			}
			continue
		}
		least, most := int64(0), int64(len(j.histories[g.entity]))
		if g.minVersion != nil {
			least = *g.minVersion
		}
		if g.version != nil {
			least, most = *g.version, *g.version
		}
		if !j.wasSo(g, least, most) {
			j.breach(g.entity, "%s: a read of %s (minVersion %s, version %s) was answered with %d %s; at no version from %d to %d was it so",
				g.entity, g.view, number(g.minVersion), number(g.version), g.status, g.raw, least, most)
		}
	}
}

func number(n *int64) string {
	if n == nil {
		return "none"
	}
	return strconv.FormatInt(*n, 10)
}

// recordAt is a record of a view keyed by the entity as it was at a version.
func (j *judge) recordAt(view, id string, version int64) Object {
	if version == 0 {
		return nil
	}
	return j.service.Fold(map[string][]Object{id: j.histories[id][:version]})[view][id]
}

func (j *judge) wasSo(g *get, least, most int64) bool {
	so := func(v int64) bool {
		record := j.recordAt(g.view, g.entity, v)
		return record == nil && g.status == 404 || record != nil && g.status == 200 && Same(record, g.body)
	}
	if said := integer(g.body["version"]); said > least && said <= most && so(said) {
		return true // most often: it saves looking at all
	}
	for v := least; v <= most; v++ {
		if so(v) {
			return true
		}
	}
	return false
}
