global-incdirs-y += ../..
cflags-y += -std=c11 -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Werror
cppflags-y += -DTRUSTED_CLIENT='$(TRUSTED_CLIENT)'
ifneq ($(TRUSTED_STATION_KEY),)
cppflags-y += -DTRUSTED_STATION_KEY='$(TRUSTED_STATION_KEY)'
endif

srcs-y += entry.c zone.c
srcs-y += ../core/bytes.c ../core/commands.c ../core/custody.c ../core/custody_orders.c ../core/custody_start.c
srcs-y += ../core/custody_evidence.c ../core/custody_time.c ../core/custody_tokens.c ../core/custody_volume.c
srcs-y += ../core/keys.c ../core/order.c ../core/policy.c ../core/state.c ../core/statement.c
srcs-y += ../../azure/sas_core.c ../../attest/evidence.c ../../roughtime/answer.c ../../roughtime/clock.c
