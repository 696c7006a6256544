package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

var sensors = domain{
	name:  "sensors",
	key:   "sensorId",
	views: map[string]string{"default": "sensorId", "site": "site", "floor": "floor", "day": "day"},
	indexes: []index{
		{"default", "site", "site", "takenAt", true},
		{"default", "retired", "retired", "", false},
	},
	next: nextReading,
	fold: foldSensors,
}

func nextReading(r *rand.Rand, _ string) object {
	site := fmt.Sprintf("site %d/ä", r.IntN(5))
	switch r.IntN(8) {
	case 0:
		return object{"type": "SensorRetired"}
	case 1, 2:
		e := object{"type": "SensorInstalled", "site": site, "floor": r.IntN(4) - 2, "kind": []string{"thermo", "hygro", "3-axis"}[r.IntN(3)],
			"position": object{"lat": r.Float64()*180 - 90, "lon": 1e-7}}
		if r.IntN(2) == 0 {
			e["labels"] = object{"b": "2", "a": "<&>"}
		}
		return e
	}
	e := object{"type": "ReadingTaken", "celsius": r.Float64()*100 - 50, "takenAt": fmt.Sprintf("2024-05-%02dT12:00:0%d.5+02:00", 1+r.IntN(9), r.IntN(9))}
	if r.IntN(3) > 0 {
		e["site"] = site
	}
	if r.IntN(3) == 0 {
		e["site"] = "" // touches no record of the site view
	}
	if r.IntN(2) == 0 {
		e["floor"] = json.Number([]string{"1", "2.0", "-1", "3e0"}[r.IntN(4)])
	}
	if r.IntN(2) == 0 {
		e["day"] = fmt.Sprintf("2024-05-%02d", 1+r.IntN(9))
	}
	if r.IntN(3) == 0 {
		e["raw"] = "AAEC/w=="
	}
	if r.IntN(3) == 0 {
		e["extra"] = object{"n": nil, "list": []any{1, "two", object{}}}
	}
	return e
}

func foldSensors(histories map[string][]object) map[string]map[string]object {
	all, sites, floors, days := map[string]object{}, map[string]object{}, map[string]object{}, map[string]object{}
	seen := map[string]object{}
	for id, events := range histories {
		for _, e := range events {
			foldSensor(all, id, e)
			if site := text(e["site"]); site != "" {
				foldSite(sites, seen, site, id, e)
			}
			if e["type"] != "ReadingTaken" {
				continue
			}
			if f, ok := e["floor"]; ok {
				floor := record(floors, text(f), func() object { return object{"floor": f, "readings": 0} })
				floor["readings"] = sum(floor["readings"], 1)
				if floor["coldest"] == nil || number(e["celsius"]).Cmp(number(floor["coldest"])) < 0 {
					floor["coldest"] = e["celsius"]
				}
			}
			day := record(days, text(e["day"]), func() object { return object{"day": e["day"], "readings": 0} })
			day["readings"] = sum(day["readings"], 1)
		}
	}
	return map[string]map[string]object{"default": all, "site": sites, "floor": floors, "day": days}
}

func foldSensor(all map[string]object, id string, e object) {
	s := record(all, id, func() object {
		return object{"sensorId": id, "site": "", "retired": false, "readings": 0, "labels": object{}}
	})
	s["version"] = e["version"]
	switch e["type"] {
	case "SensorInstalled":
		for k, v := range take(e, "site", "kind", "position", "labels") {
			s[k] = v
		}
	case "ReadingTaken":
		for k, v := range take(e, "celsius", "takenAt", "raw", "extra") {
			s[k] = v
		}
		s["readings"] = sum(s["readings"], 1)
	case "SensorRetired":
		s["retired"] = true
	}
}

func foldSite(sites, seen map[string]object, site, id string, e object) {
	s := record(sites, site, func() object { return object{"site": site, "sensors": 0, "readings": 0} })
	last := later(seen, site, id, e)
	if e["type"] == "SensorInstalled" {
		s["sensors"] = sum(s["sensors"], 1)
		if last {
			delete(s, "latest")
		}
		return
	}
	s["readings"] = sum(s["readings"], 1)
	if s["hottest"] == nil || number(e["celsius"]).Cmp(number(s["hottest"])) > 0 {
		s["hottest"] = e["celsius"]
	}
	if last {
		s["latest"] = e["celsius"]
	}
}
