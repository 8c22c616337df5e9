// A connected client as a family of topics sees it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "cloud/hub/topic_family.hpp"

namespace mitral::cloud::test {

struct FakeEndpoint final : hub::Endpoint, mqtt::Channel {
    struct Sent {
        std::string topic;
        std::string payload;
        mqtt::Delivery delivery;
    };

    explicit FakeEndpoint(std::string device, std::string module = {})
        : id(module.empty() ? device : device + "/" + module) {
        who.device.id = std::move(device);
        who.module = std::move(module);
    }

    const hub::DeviceIdentity& identity() const override { return who; }
    const std::string& client_id() const override { return id; }
    bool subscribed(std::string_view filter) const override { return filters.contains(filter); }
    mqtt::Channel& channel() override { return *this; }
    void publish(std::string_view topic, base::ByteView payload) override {
        publish_acknowledged(topic, payload, {});
    }
    void publish_acknowledged(std::string_view topic, base::ByteView payload,
                              mqtt::Delivery delivery) override {
        sent.push_back({std::string(topic), std::string(base::as_text(payload)), delivery});
    }
    void close(std::string_view reason) override { closed = reason; }

    hub::DeviceIdentity who{};
    std::string id;
    std::set<std::string, std::less<>> filters;
    std::vector<Sent> sent;
    std::string closed;
};

}  // namespace mitral::cloud::test
