package org.sluice.peer;

/** A link whose channels are made on both sides. @param channels this side's ends */
record OpenedLink(AgreedLink agreed, ChannelManager.Channels channels) implements LinkStage {
    @Override
    public LinkAttempt attempt() {
        return agreed.attempt();
    }
}
