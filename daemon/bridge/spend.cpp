#include "daemon/bridge/spend.hpp"

namespace vmr::bridge {
namespace {

std::int64_t minute_of(Spend::Clock::time_point time) {
    return std::chrono::floor<std::chrono::minutes>(time.time_since_epoch()).count();
}

bool is_near(std::int64_t spent, std::int64_t limit) {
    return spent * 5 >= limit * 4;
}

}  // namespace

std::int64_t Spend::of(const Amounts& amounts, const std::string& scope) {
    const auto found = amounts.find(scope);
    return found == amounts.end() ? 0 : found->second;
}

void Spend::add(Amounts& amounts, const std::string& room, std::int64_t amount) {
    for (const std::string& scope : {std::string(), room}) {
        if ((amounts[scope] += amount) == 0) {
            amounts.erase(scope);
        }
    }
}

std::optional<std::int64_t> Spend::limit_of(const std::string& scope) const {
    return scope.empty() ? limits_.all : limits_.room;
}

void Spend::set_limits(Limits limits) {
    if (limits != limits_) {
        limits_ = limits;
        told_.clear();
    }
}

void Spend::tell(const std::string& scope, bool reached) {
    const auto [told, is_new] = told_.emplace(scope, reached);
    if (!is_new && (told->second || !reached)) {
        return;
    }
    told->second = reached;
    if (alarm_) {
        alarm_({scope, of(spent_, scope), limit_of(scope).value_or(0), reached});
    }
}

void Spend::book(const std::string& room, std::int64_t amount, Time at) {
    window_[minute_of(at)][room] += amount;
    add(spent_, room, amount);
}

void Spend::restore(const std::string& room, std::int64_t amount, Clock::duration ago) {
    if (amount > 0 && ago < kWindow) {
        book(room, amount, clock_() - ago);
    }
}

void Spend::forget_old(Time now) {
    const std::int64_t oldest = minute_of(now - kWindow);
    while (!window_.empty() && window_.begin()->first < oldest) {
        for (const auto& [room, amount] : window_.begin()->second) {
            add(spent_, room, -amount);
        }
        window_.erase(window_.begin());
    }
}

bool Spend::admits(const std::string& room, std::int64_t price) {
    if (price == 0) {
        return true;
    }
    forget_old(clock_());
    for (const std::string& scope : {std::string(), room}) {
        const auto limit = limit_of(scope);
        if (limit && of(spent_, scope) + of(reserved_, scope) + price > *limit) {
            tell(scope, true);
            return false;
        }
    }
    return true;
}

bool Spend::reserve(const std::string& leg, const std::string& room, std::int64_t price) {
    if (!admits(room, price)) {
        return false;
    }
    if (price > 0 && calls_.emplace(leg, Call{room, price}).second) {
        add(reserved_, room, price);
    }
    return true;
}

void Spend::answer(const std::string& leg) {
    const auto found = calls_.find(leg);
    if (found != calls_.end() && !found->second.answered) {
        found->second.answered = clock_();
        charge(found->second, *found->second.answered);
    }
}

// The minutes that have begun, whether they fit or not: they cost.
bool Spend::charge(Call& call, Time now) {
    const std::int64_t before = call.minutes;
    while (call.answered && call.next() <= now) {
        if (call.reserved) {
            add(reserved_, call.room, -call.price);
        }
        call.reserved = call.over = false;
        book(call.room, call.price, call.next());
        ++call.minutes;
    }
    return call.minutes > before;
}

std::optional<std::int64_t> Spend::cost(const std::string& leg) {
    const auto found = calls_.find(leg);
    if (found == calls_.end()) {
        return std::nullopt;
    }
    charge(found->second, clock_());
    return found->second.minutes * found->second.price;
}

std::optional<std::int64_t> Spend::end(const std::string& leg) {
    const auto spent = cost(leg);
    if (const auto ended = calls_.extract(leg); ended && ended.mapped().reserved) {
        add(reserved_, ended.mapped().room, -ended.mapped().price);
    }
    return spent;
}

Spend::Turn Spend::tick() {
    const Time now = clock_();
    Turn turn;
    forget_old(now);
    for (auto& [leg, call] : calls_) {
        if (charge(call, now)) {
            turn.charged.push_back(leg);
        }
        if (!call.answered || call.reserved || call.over || now < call.next() - kLead) {
            continue;
        }
        if (admits(call.room, call.price)) {
            call.reserved = true;
            add(reserved_, call.room, call.price);
        } else {
            call.over = true;
            turn.over.push_back(leg);
        }
    }
    std::erase_if(told_, [this](const auto& told) {
        return !is_near(of(spent_, told.first), limit_of(told.first).value_or(0));
    });
    for (const auto& [scope, amount] : spent_) {
        if (const auto limit = limit_of(scope); limit && is_near(amount, *limit)) {
            tell(scope, false);
        }
    }
    return turn;
}

}  // namespace vmr::bridge
